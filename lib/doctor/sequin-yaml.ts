import { readFile } from "node:fs/promises";
import { parse } from "yaml";
import * as z from "zod";

const sink = z.object({
  name: z.string(),
  source: z.object({ include_tables: z.array(z.string()) }),
  actions: z.array(z.string()),
  destination: z.object({ http_endpoint_path: z.string(), batch: z.boolean().default(true) }),
});

const database = z.object({
  slot: z.object({ name: z.string() }),
  publication: z.object({ name: z.string(), init_sql: z.string() }),
});

const file = z.object({ databases: z.tuple([database], database), sinks: z.array(sink) });

export type Sink = z.infer<typeof sink>;

/** What sequin.yaml asks of the database and of Sequin. */
export type SequinYaml = {
  slot: string;
  publication: { name: string; initSql: string };
  sinks: Sink[];
  /** `schema.name` of each table that is captured. */
  tables: string[];
};

export async function readSequinYaml(path = "sequin.yaml"): Promise<SequinYaml> {
  const { databases, sinks } = file.parse(parse(await readFile(path, "utf8")));
  const [{ slot, publication }] = databases;
  return {
    slot: slot.name,
    publication: { name: publication.name, initSql: publication.init_sql },
    sinks,
    tables: [...new Set(sinks.flatMap(({ source }) => source.include_tables))],
  };
}

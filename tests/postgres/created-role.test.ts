import { readFileSync } from "node:fs";
import { Client } from "pg";
import { afterAll, beforeAll, expect, it } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { type Cluster, startCluster } from "../helpers/own-cluster.ts";
import { applyMigrations } from "../helpers/postgres-template.ts";
import { runOn } from "../helpers/real-postgres.ts";

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");
const sequinYaml = z.object({
  databases: z.array(z.object({ publication: z.object({ init_sql: z.string() }) })),
});
const PASSWORD = "made by a test";

let cluster: Cluster;
let asRole: URL;

/** Runs the script that compose.yaml gives to the database, like psql. */
async function createRole(url: string): Promise<void> {
  const [, script = ""] =
    /<<'SQL'\n\\getenv password ROLE_PASSWORD\n([\s\S]*?)\nSQL\n/.exec(read("deploy/create-role.sh")) ?? [];
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    for (const statement of script.replaceAll(":'password'", `'${PASSWORD}'`).split(/;$/m)) {
      const [sql = "", gexec] = statement.split("\\gexec");
      const { rows } = await client.query(sql);
      if (gexec === undefined) continue;
      for (const made of Object.values(z.record(z.string(), z.string()).parse(rows[0])))
        await client.query(made);
      await client.query(gexec);
    }
  } finally {
    await client.end();
  }
}

beforeAll(async () => {
  cluster = await startCluster();
  await createRole(cluster.url);
  asRole = new URL(cluster.url);
  asRole.username = "aftercommit";
  asRole.password = encodeURIComponent(PASSWORD);
});
afterAll(() => cluster.remove());

it("the role that compose.yaml makes is no superuser, migrates, and makes the publication of sequin.yaml", async () => {
  await applyMigrations(asRole.href);
  const [source] = sequinYaml.parse(parse(read("sequin.yaml"))).databases;
  await runOn(asRole.href, [source?.publication.init_sql ?? ""]);
  const client = new Client({ connectionString: asRole.href });
  await client.connect();
  const { rows } = await client.query(`select rolsuper, rolreplication,
    (select count(*)::int from pg_publication_tables where pubname = 'sequin_pub') as published
    from pg_roles where rolname = current_user`);
  await client.end();
  expect(rows).toEqual([{ rolsuper: false, rolreplication: true, published: 2 }]);
});

import * as z from "zod";
import { optional } from "../env.ts";
import { ask, bearer } from "./ask.ts";
import { type Check, good, notNeeded, problem } from "./check.ts";
import { placeOf } from "./on-this-machine.ts";
import { readSequinYaml, type Sink } from "./sequin-yaml.ts";

const LOAD = "sequin config apply sequin.yaml";

// As far as all versions have it: https://sequinstream.com/docs/management-api/sink-consumers/list
const answerSchema = z.object({
  data: z.array(
    z.looseObject({
      name: z.string(),
      status: z.string().optional(),
      actions: z.array(z.string()).optional(),
      table: z.string().nullish(),
      source: z.looseObject({ include_tables: z.array(z.string()).nullish() }).nullish(),
      destination: z.looseObject({ http_endpoint_path: z.string().nullish(), batch: z.boolean().nullish() }),
      health: z.looseObject({ status: z.string() }).nullish(),
    }),
  ),
});

type There = z.infer<typeof answerSchema>["data"][number];

const same = (a: readonly string[], b: readonly string[]) => a.toSorted().join() === b.toSorted().join();
const qualified = (table: string) => (table.includes(".") ? table : `public.${table}`);

/** In what a sink there is another than the file's. */
function differences(sink: Sink, there: There | undefined): string[] {
  if (!there) return [`there is no sink ${sink.name}`];
  const { actions, source, table, destination, status } = there;
  const tables = (source?.include_tables ?? (table ? [table] : undefined))?.map(qualified);
  const found: [boolean, string][] = [
    [status !== undefined && status !== "active", `is ${status}`],
    [actions !== undefined && !same(actions, sink.actions), `has the actions ${actions?.join(", ")}`],
    [
      tables !== undefined && !same(tables, sink.source.include_tables),
      `has the tables ${tables?.join(", ")}`,
    ],
    [
      destination.http_endpoint_path !== sink.destination.http_endpoint_path,
      `delivers to ${destination.http_endpoint_path}`,
    ],
    [
      typeof destination.batch === "boolean" && destination.batch !== sink.destination.batch,
      `has batch ${destination.batch}`,
    ],
  ];
  return found.flatMap(([differs, words]) => (differs ? [`${sink.name} ${words}`] : []));
}

async function readSinks(url: string, token: string) {
  const { status, json } = await ask(new URL("/api/sinks", url).href, { headers: bearer(token) });
  const parsed = answerSchema.safeParse(json);
  return { status, sinks: status === 200 && parsed.success ? parsed.data.data : undefined };
}

const UNSET = "SEQUIN_API_URL is not set";

/** Whether Sequin itself is well and does what sequin.yaml says, where its API can be reached from here. */
export const sequin = (): Check[] => [
  {
    id: "capture.sequin",
    description: "Sequin is healthy, with its database and its Redis",
    hint: "Start Sequin, its database and its Redis, or correct SEQUIN_API_URL",
    fatal: true,
    async run() {
      const url = optional("SEQUIN_API_URL");
      if (!url) return notNeeded(UNSET);
      const { status } = await ask(new URL("/health", url).href);
      return status === 200 ? good(placeOf(url)) : problem(`/health answers ${status}`);
    },
  },
  {
    id: "capture.sinks",
    description: "Sequin's sinks are those of sequin.yaml, active and delivering",
    hint: LOAD,
    needs: ["capture.sequin"],
    async run() {
      const [url, token] = [optional("SEQUIN_API_URL"), optional("SEQUIN_API_TOKEN")];
      if (!url || !token) return notNeeded(url ? "SEQUIN_API_TOKEN is not set" : UNSET);
      const { status, sinks } = await readSinks(url, token);
      if (!sinks)
        return problem(
          `/api/sinks answers ${status}${status === 200 ? " with no list of sinks" : ""}`,
          "Set SEQUIN_API_TOKEN to a token of Sequin's console → Settings → API tokens",
        );
      const wanted = (await readSequinYaml()).sinks;
      const thereOf = ({ name }: Sink) => sinks.find((there) => there.name === name);
      const differing = wanted.flatMap((sink) => differences(sink, thereOf(sink)));
      if (differing.length > 0) return problem(differing.join("; "));
      const failing = wanted.filter((sink) => thereOf(sink)?.health?.status === "error");
      if (failing.length === 0) return good(wanted.map(({ name }) => name).join(", "));
      return problem(
        `not delivering: ${failing.map(({ name }) => name).join(", ")}`,
        "See the sink's messages in Sequin's console for what the app answers",
      );
    },
  },
];

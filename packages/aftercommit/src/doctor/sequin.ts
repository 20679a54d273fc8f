import * as z from "zod";
import type { Declaration } from "../declare/declaration.ts";
import { fromSequin } from "../declare/declarations.ts";
import { routeOf } from "../declare/names.ts";
import { optional } from "../env/env.ts";
import { wantedSink } from "../sequin-config/sinks.ts";
import { ask } from "./ask.ts";
import { type Category, CheckError, last, okUnless, skipped } from "./finding.ts";

// A server with a config file rejects `sequin config apply`, and loads the file at each start.
const LOAD = "Restart Sequin with this sequin.yaml; without a config file: sequin config apply sequin.yaml";
const TOKEN =
  "Set SEQUIN_API_TOKEN to one of Sequin's console → Settings, or of its config file's api_tokens";
const ADDRESS = "Set APP_URL to how Sequin reaches the app, here and where Sequin runs, and restart Sequin";
/** The fixes, by what Sequin says about a delivery, such as `Unexpected status code: 401`. */
const FIXES = [
  ["code: 401", "Set the same SEQUIN_WEBHOOK_SECRET where the app and where Sequin runs, and restart Sequin"],
  ["code: 413", "Set a lower batch_size in sequin.yaml, and restart Sequin"],
] as const;

// https://sequinstream.com/docs/management-api/sink-consumers/list
const text = z.string().nullish();
const texts = z.array(z.string()).nullish();
const healthCheck = z.object({ name: z.string(), status: z.string(), error: text.catch(undefined) });
const sinkSchema = z.object({
  name: z.string(),
  status: text,
  actions: texts,
  source: z.object({ include_tables: texts }).nullish(),
  destination: z.object({ http_endpoint: text, http_endpoint_path: text }),
  health: z.object({ checks: z.array(healthCheck) }).nullish(),
});
const listOf = <T extends z.ZodType>(item: T) => z.object({ data: z.array(item) });
const endpoints = listOf(z.object({ name: z.string(), url: text }));

type Sink = z.infer<typeof sinkSchema>;
type Problem = { actual: string; fix: string };

async function read<T>(path: string, schema: z.ZodType<{ data: T }>): Promise<T> {
  const url = new URL(path, optional("SEQUIN_API_URL"));
  const { status, json } = await ask(url, { token: optional("SEQUIN_API_TOKEN") });
  const parsed = schema.safeParse(json);
  if (status === 200 && parsed.success) return parsed.data.data;
  throw new CheckError(`Sequin answers ${status} to ${path}`, status === 401 ? TOKEN : undefined);
}

/** sequin.yaml does not set a sink's status, so a paused sink stays paused after a restart. */
const activate = ({ name, status }: Sink) =>
  `curl -fsS -X PATCH "$SEQUIN_API_URL/api/sinks/${name}" -H "authorization: Bearer $SEQUIN_API_TOKEN" -H "content-type: application/json" -d '{"status":"active"}'${status === "disabled" ? "; npx aftercommit reconcile --full" : ""}`;

const isSame = (there: string[] | null | undefined, wanted: readonly string[]) =>
  !there || there.toSorted().join() === wanted.toSorted().join();

function problemsOf(declaration: Declaration, sink: Sink | undefined): Problem[] {
  const { path, tables, actions } = wantedSink(declaration);
  if (!sink) return [{ actual: `no sink delivers to ${path}`, fix: LOAD }];
  const { name, status, source, actions: has } = sink;
  if (status && status !== "active") return [{ actual: `${name} is ${status}`, fix: activate(sink) }];
  if (isSame(source?.include_tables, tables) && isSame(has, actions)) return [];
  return [{ actual: `${name} captures ${has} of ${source?.include_tables}`, fix: LOAD }];
}

async function endpointProblems(sinks: readonly Sink[]): Promise<Problem[]> {
  const app = optional("APP_URL");
  if (!app) return [];
  return (await read("/api/destinations/http_endpoints", endpoints)).flatMap(({ name, url }) => {
    const isUsed = sinks.some(({ destination }) => destination.http_endpoint === name);
    if (!isUsed || !url || new URL(url).href === new URL(app).href) return [];
    return [{ actual: `Sequin delivers to ${url}, APP_URL is ${app}`, fix: ADDRESS }];
  });
}

/** What Sequin reports about itself, if its API can be reached. */
export const sequin: Category = async function* ({ check, declarations: all }) {
  const declarations = fromSequin(all);
  let sinks: Sink[] = [];
  yield check("capture.sinks", "Start Sequin, or correct SEQUIN_API_URL", async () => {
    if (declarations.length === 0) return last(skipped("no declaration is from Sequin"));
    if (!optional("SEQUIN_API_URL") || !optional("SEQUIN_API_TOKEN"))
      return last(skipped("SEQUIN_API_URL and SEQUIN_API_TOKEN are not set"));
    const there = await read("/api/sinks", listOf(sinkSchema));
    const sinkOf = (declaration: Declaration) =>
      there.find(({ destination }) => destination.http_endpoint_path === routeOf(declaration));
    sinks = declarations.flatMap((declaration) => sinkOf(declaration) ?? []);
    const problems = declarations.flatMap((declaration) => problemsOf(declaration, sinkOf(declaration)));
    problems.push(...(await endpointProblems(sinks)));
    const actual = problems.map((problem) => problem.actual);
    const fix = [...new Set(problems.map((problem) => problem.fix))].join("; ");
    return okUnless(actual, sinks.map(({ name }) => name).join(", "), fix);
  });

  yield check("capture.deliveries", "The app's log says why; Sequin delivers again", async () => {
    const errors = sinks.flatMap(({ name, health }) => {
      const failing = health?.checks.filter(({ status }) => status === "error") ?? [];
      return failing.map((one) => `${name}: ${one.error ?? one.name}`);
    });
    const fix = FIXES.find(([status]) => errors.some((error) => error.includes(status)))?.[1];
    return okUnless(errors, "no error", fix);
  });
};

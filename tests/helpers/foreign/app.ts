import { sql } from "drizzle-orm";
import { Client } from "pg";
import { afterAll, beforeAll, vi } from "vitest";
import { connect, type Database, disconnect } from "../../../packages/aftercommit/src/db/client.ts";
import { tableSql } from "../../../packages/aftercommit/src/db/identifiers.ts";
import type {
  Declaration,
  EmbeddingDeclaration,
} from "../../../packages/aftercommit/src/declare/declaration.ts";
import { routeOf } from "../../../packages/aftercommit/src/declare/names.ts";
import { reconcile } from "../../../packages/aftercommit/src/embeddings/reconcile.ts";
import { migrate } from "../../../packages/aftercommit/src/migrate/migrate.ts";
import type { SearchOptions } from "../../../packages/aftercommit/src/search/options.ts";
import { search } from "../../../packages/aftercommit/src/search/search.ts";
import { serveAll } from "../../../packages/aftercommit/src/serve.ts";
import { rowIdColumn, sourceOf } from "../../../packages/aftercommit/src/source.ts";
import { startFreshPostgres } from "../postgres.ts";
import { FIRST_MODEL } from "../postgres-template.ts";
import { providerForTests } from "../providers/hashing-provider.ts";
import { realPostgres } from "../real-postgres.ts";
import { startTriggerServer } from "../trigger-server.ts";
import { runPrinted, urlAs } from "./roles.ts";
import { drainOf, type Run, runsOf } from "./runs.ts";

export const SECRET = "a secret of the foreign databases' tests";
const KEY = "tr_dev_foreign";

type Options = {
  /** Creates the owner's tables, with their first rows. */
  tables: (client: Client, url: string) => Promise<unknown>;
  /** On a real server, the app and the tasks have the roles and privileges that migrate prints, and no more. */
  leastPrivileges?: boolean;
  /** Executes the runs of tasks that embed nothing. */
  workOn?: (run: Run) => Promise<unknown>;
};

/**
 * A database with someone else's tables, and Aftercommit next to them: the routes in this process, a Trigger.dev whose
 * runs the test executes, and a provider. The test acts as Sequin, or starts the emulator.
 */
export function appForTests(
  declarations: readonly Declaration[],
  { tables, leastPrivileges = false, workOn }: Options,
) {
  const provider = providerForTests();
  const hasRoles = leastPrivileges && realPostgres !== undefined;
  const serve = serveAll(declarations);
  let postgres: Awaited<ReturnType<typeof startFreshPostgres>>;
  let trigger: Awaited<ReturnType<typeof startTriggerServer>>;
  let client: Client;

  beforeAll(async () => {
    [postgres, trigger] = await Promise.all([startFreshPostgres(), startTriggerServer(KEY)]);
    for (const [name, value] of Object.entries({
      DATABASE_URL: urlOf("aftercommit_app"),
      SEQUIN_WEBHOOK_SECRET: SECRET,
      TRIGGER_API_URL: trigger.url,
      TRIGGER_SECRET_KEY: KEY,
      USER_DELETION_WEBHOOK_URLS: "none",
    }))
      vi.stubEnv(name, value);
    for (const level of ["info", "warn"] as const) vi.spyOn(console, level).mockImplementation(() => {});
    client = new Client({ connectionString: postgres.url });
    await client.connect();
    await tables(client, postgres.url);
  });
  afterAll(async () => {
    vi.unstubAllEnvs();
    vi.restoreAllMocks();
    await client.end();
    await disconnect();
    await Promise.all([postgres.close(), trigger.close()]);
  });

  const urlOf = (role: string) => (hasRoles ? urlAs(postgres.url, role) : postgres.url);
  const tasks = (): Database => connect(urlOf("aftercommit_tasks"));

  return {
    provider,
    serve,
    ...runsOf(declarations, { db: tasks, workOn }),
    get url() {
      return postgres.url;
    },
    /** The owner's connection. */
    get client() {
      return client;
    },
    /** The tasks' database. */
    get db() {
      return tasks();
    },
    triggerUrl: () => trigger.url,

    /** Brings the database up to the declarations: with `npx aftercommit migrate`, or with the SQL that it prints. */
    async migrate(these = declarations): Promise<void> {
      const options = { url: postgres.url, declarations: these, model: FIRST_MODEL };
      await (hasRoles ? runPrinted(client, options) : migrate(options));
    },
    reconcile: async (
      declaration: EmbeddingDeclaration,
      options: { full?: boolean; dryRun?: boolean } = {},
    ) => reconcile(tasks(), await sourceOf(tasks(), declaration), options),
    drain: (declaration: EmbeddingDeclaration) => drainOf(tasks(), declaration),
    /** Delivers messages to a declaration's route like a sink with `batch: true`. */
    async deliver(declaration: Declaration, messages: readonly unknown[]) {
      const headers = { authorization: `Bearer ${SECRET}`, "content-type": "application/json" };
      const init = { method: "POST", headers, body: JSON.stringify({ data: messages }) };
      const response = await serve(new Request(`http://localhost${routeOf(declaration)}`, init));
      return { status: response.status, body: await response.json() };
    },
    search: async (declaration: EmbeddingDeclaration, query: string, options: Partial<SearchOptions> = {}) =>
      (await search(declaration, { query, limit: 5, ...options })).results,
    /** The keys that have vectors, ordered by their texts. */
    async embedded(declaration: EmbeddingDeclaration): Promise<string[]> {
      const { rows } = await tasks().execute<{ id: string }>(sql`
        select distinct ${rowIdColumn(declaration)}::text as id from ${tableSql(declaration.embeddings)}
        where embedding is not null`);
      return rows.map(({ id }) => id).toSorted();
    },
    /** The entries of a declared table in the inbox. */
    async pending({ row }: Declaration) {
      const { rows } = await tasks().execute<{ rowId: string; queue: string; error: string | null }>(sql`
        select row_id as "rowId", queue, error from aftercommit.pending where source = ${row} order by row_id`);
      return rows;
    },
  };
}

export type App = ReturnType<typeof appForTests>;

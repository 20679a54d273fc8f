import { sql } from "drizzle-orm";
import { connect } from "../db/client.ts";
import { withLongConnection } from "../db/long-connection.ts";
import { TlsError } from "../db/tls.ts";
import { required } from "../env/env.ts";
import { rootMessageOf, rootOf } from "../errors.ts";
import { findMissingMigrations } from "../migrate/missing-migrations.ts";
import { readModelsInUse } from "../models/models.ts";
import { type Category, CheckError, failed, last, ok, type Server, warning } from "./finding.ts";
import { placeOf } from "./shown.ts";

// pgvector's changelog: 0.8.2 fixes a buffer overflow, 0.8.3 corrupt indexes, 0.8.4 errors in both.
const PGVECTOR = "0.8.4";

const DIRECT = "Give Sequin and npx aftercommit migrate the database's own address";
const INSTALL = `Install pgvector ${PGVECTOR} or newer on the server`;
const PROVIDER =
  "npx aftercommit doctor --only provider says why the provider fails. The model resumes by itself";

const START = "Start the database, or correct DATABASE_URL: postgres://user:password@host:5432/name";
// With the grace period, this is longer than the pool keeps an idle connection, which would otherwise be reported as
// lost.
const STATEMENT_MS = 9_000;

/** Connects to the database of DATABASE_URL. Rejects with CheckError when it does not answer. */
export async function readServer(): Promise<Server> {
  const url = required("DATABASE_URL");
  const db = connect(url, { statementTimeoutMs: STATEMENT_MS, poolSize: 2 });
  try {
    const { rows } = await db.execute<{ version: string; build: string }>(
      sql`select current_setting('server_version') as version, version() as build`,
    );
    const { version = "", build = "" } = rows[0] ?? {};
    return { db, url, version, isWebAssembly: /wasm|emscripten|emcc/i.test(build) };
  } catch (error) {
    const root = rootOf(error);
    if (root instanceof TlsError) throw new CheckError(root.reason, root.remedy);
    throw new CheckError(rootMessageOf(error), START);
  }
}

/** Whether there is a connection pooler: it reports its own ids, and the server the id of its process. */
const isPooled = (url: string): Promise<boolean> =>
  withLongConnection(url, async (client) => {
    const { rows } = await client.query<{ pid: number }>("select pg_backend_pid() as pid");
    return "processID" in client && client.processID !== rows[0]?.pid;
  });

export const database: Category = async function* ({ check, server }) {
  yield check("database.connection", DIRECT, async () => {
    const { url, version, isWebAssembly } = await server();
    const actual = `PostgreSQL ${version} at ${placeOf(url)}`;
    if (isWebAssembly) return ok(`${actual}, an emulator in WebAssembly`);
    return (await isPooled(url)) ? warning(`${actual}, through a connection pooler`) : ok(actual);
  });
  const { db } = await server();

  yield check("database.pgvector", `${INSTALL}, then: alter extension vector update`, async () => {
    const { rows } = await db.execute<{ version: string }>(
      sql`select extversion as version from pg_extension where extname = 'vector'`,
    );
    const [{ version } = {}] = rows;
    if (version === undefined) return failed("not installed", `${INSTALL}, then: npx aftercommit migrate`);
    const isOld = version.localeCompare(PGVECTOR, undefined, { numeric: true }) < 0;
    return isOld ? warning(version) : ok(version);
  });

  yield check("database.migrations", "npx aftercommit migrate", async () => {
    const missing = await findMissingMigrations(db);
    return missing.length === 0 ? ok("none is missing") : last(failed(`missing: ${missing.join(", ")}`));
  });

  yield check("database.model", "npx aftercommit migrate", async () => {
    const { active, building } = await readModelsInUse(db);
    const models = building ? [active, building] : [active];
    const paused = models.flatMap(({ name, pauseReason }) => (pauseReason ? `${name}: ${pauseReason}` : []));
    if (paused.length > 0) return warning(`paused: ${paused.join("; ")}`, PROVIDER);
    return ok(models.map(({ name, dimensions, state }) => `${name}, ${dimensions}, ${state}`).join("; "));
  });
};

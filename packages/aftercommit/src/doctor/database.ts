import { sql } from "drizzle-orm";
import { connect } from "../db/client.ts";
import { ConnectionError } from "../db/connection-error.ts";
import { directUrl } from "../db/database.ts";
import { withLongConnection } from "../db/long-connection.ts";
import { PoolerError } from "../db/session.ts";
import { required } from "../env/env.ts";
import { rootMessageOf, rootOf } from "../errors.ts";
import { findMissingMigrations } from "../migrate/missing-migrations.ts";
import { readModelsInUse } from "../models/models.ts";
import { type Category, CheckError, failed, last, ok, type Server, warning } from "./finding.ts";
import { placeOf } from "./shown.ts";

// pgvector's changelog: 0.8.2 fixes a buffer overflow, 0.8.3 corrupt indexes, 0.8.4 errors in both.
const PGVECTOR = "0.8.4";

const DIRECT =
  "Set DIRECT_DATABASE_URL to the database's own address, for npx aftercommit migrate and the vector indexes; Sequin needs it as well";
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
    if (root instanceof ConnectionError) throw new CheckError(root.reason, root.remedy);
    throw new CheckError(rootMessageOf(error), START);
  }
}

const isPooled = (url: string): Promise<boolean> =>
  withLongConnection(url, async () => false).catch((error: unknown) => {
    if (error instanceof PoolerError) return true;
    throw error;
  });

export const database: Category = async function* ({ check, server }) {
  yield check("database.connection", DIRECT, async () => {
    const { url, version, isWebAssembly } = await server();
    const actual = `PostgreSQL ${version} at ${placeOf(url)}`;
    if (isWebAssembly) return ok(`${actual}, an emulator in WebAssembly`);
    if (!(await isPooled(url))) return ok(actual);
    return (await isPooled(directUrl()))
      ? warning(`${actual}, through a connection pooler`)
      : ok(`${actual}, through a connection pooler, and directly`);
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

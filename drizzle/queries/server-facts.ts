import { sql } from "drizzle-orm";
import type { Database } from "../client.ts";
import { withLongConnection } from "../long-connection.ts";

/** What the server is. `now` is its clock, in Unix milliseconds. */
export type Server = { version: string; inWebAssembly: boolean; now: number };

export async function readServer(db: Database): Promise<Server> {
  const { rows } = await db.execute<{ version: string; build: string; now: number }>(sql`
    select current_setting('server_version') as version, version() as build,
      extract(epoch from clock_timestamp())::float8 * 1000 as now`);
  const { version = "", build = "", now = 0 } = rows[0] ?? {};
  return { version, inWebAssembly: /wasm|emscripten|emcc/i.test(build), now };
}

/** The version of an extension in the database, and the newest that the server has. */
export async function readExtension(
  db: Database,
  name: string,
): Promise<{ installed: string | null; available: string | null }> {
  const { rows } = await db.execute<{ installed: string | null; available: string | null }>(sql`
    select (select extversion from pg_extension where extname = ${name}) as installed,
      (select default_version from pg_available_extensions where name = ${name}) as available`);
  return rows[0] ?? { installed: null, available: null };
}

/**
 * Whether another program answers in the server's place: a connection pooler gives its clients an id of its own where
 * the server gives that of its process.
 */
export async function isPooled(url: string): Promise<boolean> {
  return withLongConnection(url, async (client) => {
    const { rows } = await client.query<{ pid: number }>("select pg_backend_pid() as pid");
    return "processID" in client && client.processID !== rows[0]?.pid;
  });
}

import { drizzle, type NodePgDatabase } from "drizzle-orm/node-postgres";
import { Pool } from "pg";
import * as schema from "./schema.ts";

export type Database = NodePgDatabase<typeof schema>;

const pools = new Map<string, Pool>();

function poolFor(url: string): Pool {
  const known = pools.get(url);
  if (known) return known;
  const pool = new Pool({ connectionString: url, max: 5, application_name: "aftercommit", keepAlive: true });
  // Without a listener, a connection that breaks while idle ends the process.
  pool.on("error", (error) =>
    console.warn(JSON.stringify({ event: "database.idle_connection_lost", error: error.message })),
  );
  pools.set(url, pool);
  return pool;
}

/** The database at a URL, through one small pool for each process. */
export function connect(url: string): Database {
  return drizzle({ client: poolFor(url), schema });
}

/** Ends every pool of this process, so that a script can exit. */
export async function disconnect(): Promise<void> {
  const open = [...pools.values()];
  pools.clear();
  await Promise.all(open.map((pool) => pool.end()));
}

import { drizzle, type NodePgDatabase } from "drizzle-orm/node-postgres";
import type { Pool } from "pg";
import { type Bounds, boundedPool } from "./bounded-pool.ts";

export type Database = NodePgDatabase;

const STATEMENT_MS = 10_000;

const pools = new Map<string, Pool>();

function poolFor(url: string, bounds: Bounds): Pool {
  const key = `${bounds.statementTimeoutMs} ${url}`;
  const known = pools.get(key);
  if (known) return known;
  const pool = boundedPool(url, bounds);
  pools.set(key, pool);
  return pool;
}

/**
 * The database at a URL, through one small pool for each process and time-out. Each query ends within seconds, by an
 * error where the database hangs. `statementTimeoutMs` is 10,000 unless said otherwise; 0 lets a statement take as long
 * as it needs, for the build of an index. The first caller decides on the pool's size.
 */
export function connect(
  url: string,
  { statementTimeoutMs = STATEMENT_MS, poolSize = 5 }: Partial<Bounds> = {},
): Database {
  return drizzle({ client: poolFor(url, { statementTimeoutMs, poolSize }) });
}

/** Ends every pool of this process, so that a script can exit. */
export async function disconnect(): Promise<void> {
  const open = [...pools.values()];
  pools.clear();
  await Promise.all(open.map((pool) => pool.end()));
}

import { drizzle, type NodePgDatabase } from "drizzle-orm/node-postgres";
import type { Pool } from "pg";
import { type Bounds, boundedPool } from "./bounded-pool.ts";
import { STATEMENT_MS } from "./session.ts";

export type Database = NodePgDatabase & { $client: Pool };

const pools = new Map<string, Pool>();

type Options = Bounds & {
  /** What the pool is for, if it is not shared. */
  purpose: string;
};

function poolFor(url: string, { purpose, ...bounds }: Options): Pool {
  const key = `${purpose} ${bounds.statementTimeoutMs} ${url}`;
  const known = pools.get(key);
  if (known) return known;
  const pool = boundedPool(url, bounds);
  pools.set(key, pool);
  return pool;
}

/**
 * The database at a URL, with one small pool per process, timeout and purpose. Each query ends within seconds, with an
 * error if the database hangs. `statementTimeoutMs` is 10,000 by default; 0 means no limit, for building an index. The
 * first caller sets the pool's size.
 */
export function connect(
  url: string,
  { statementTimeoutMs = STATEMENT_MS, poolSize = 5, purpose = "" }: Partial<Options> = {},
): Database {
  return drizzle({ client: poolFor(url, { statementTimeoutMs, poolSize, purpose }) });
}

/** Ends every pool of this process, so that a script can exit. */
export async function disconnect(): Promise<void> {
  const open = [...pools.values()];
  pools.clear();
  await Promise.all(open.map((pool) => pool.end()));
}

import type { SQL } from "drizzle-orm";
import { PgDialect } from "drizzle-orm/pg-core";
import type { Database } from "../db/client.ts";
import { searchDatabase } from "../db/database.ts";
import { rootCodeOf } from "../errors.ts";

export const DEADLINE_MS = 5_000;

/**
 * A database connection: a client of `pg`, or anything with the same `query`. If it is in a transaction, the search is
 * part of it, with its role, settings and row level security.
 */
export type SearchConnection = {
  query(text: string, values: unknown[]): Promise<{ rows: unknown[] }>;
};

/** Where a search reads, and until when. */
export type Reading = {
  /** The caller's connection, or Aftercommit's own pool. */
  db: SearchConnection;
  /** For what Aftercommit reads with its own rights. */
  pool: Database;
  /** In Unix milliseconds. */
  deadline: number;
};

/**
 * A search that begins now. `db` is the caller's connection, if there is one.
 * @throws {EnvironmentError} if DATABASE_URL is missing, or DATABASE_POOL_SIZE malformed
 */
export function beginReading(db: SearchConnection | undefined): Reading {
  const pool = searchDatabase();
  return { db: db ?? pool.$client, pool, deadline: Date.now() + DEADLINE_MS };
}

type PooledConnection = SearchConnection & { release(error?: boolean): void };
type ConnectionPool = SearchConnection & { totalCount: number; connect(): Promise<PooledConnection> };

export const isPool = (db: SearchConnection): db is ConnectionPool => "totalCount" in db && "connect" in db;

const dialect = new PgDialect();

/** The rows of a query. The caller vouches for their type. */
export async function rowsOf<Row>(db: SearchConnection, query: SQL): Promise<Row[]> {
  const { sql: text, params } = dialect.sqlToQuery(query);
  const { rows } = await db.query(text, params);
  return rows as Row[];
}

const NO_TRANSACTION = "25P01";

async function open(db: SearchConnection): Promise<"savepoint" | "transaction"> {
  try {
    await db.query("savepoint aftercommit_search", []);
    return "savepoint";
  } catch (error) {
    // Not by its class: the caller's client may be of another package, or of another copy of `pg`.
    if (rootCodeOf(error) !== NO_TRANSACTION) throw error;
    await db.query("begin read only", []);
    return "transaction";
  }
}

// The planner overrates the cost of many words and of a disabled plan, and would compile such a query first: that takes
// 0.05 to 0.4 s, and saves nothing.
const WITHOUT_JIT = "set local jit = off";

async function readOnClient<T>(db: SearchConnection, work: () => Promise<T>): Promise<T> {
  // The settings of the search end with the rollback; the release of a savepoint would keep them.
  const end = (await open(db)) === "savepoint" ? "rollback to savepoint aftercommit_search" : "rollback";
  try {
    await db.query(WITHOUT_JIT, []);
    return await work();
  } finally {
    await db.query(end, []);
  }
}

async function readOnPool<T>(
  pool: ConnectionPool,
  work: (client: SearchConnection) => Promise<T>,
): Promise<T> {
  const client = await pool.connect();
  let isBroken = true;
  try {
    await client.query(`begin read only; ${WITHOUT_JIT}`, []);
    try {
      return await work(client);
    } finally {
      await client.query("rollback", []);
      isBroken = false;
    }
  } finally {
    client.release(isBroken);
  }
}

/**
 * Reads in a transaction, so that its settings end with it. Inside a transaction of the caller's it uses a savepoint,
 * so that the caller can continue even if the work fails. Rejects as the work does.
 */
export const readInTransaction = <T>(
  db: SearchConnection,
  work: (client: SearchConnection) => Promise<T>,
): Promise<T> => (isPool(db) ? readOnPool(db, work) : readOnClient(db, () => work(db)));

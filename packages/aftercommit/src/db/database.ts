import { optional, required } from "../env/env.ts";
import { connect, type Database } from "./client.ts";

const poolSize = () => Number(optional("DATABASE_POOL_SIZE") ?? 5);

/**
 * The product's database, with one small pool per process.
 * @throws {EnvironmentError} if DATABASE_URL is missing, or DATABASE_POOL_SIZE malformed
 */
export const database = (): Database => connect(required("DATABASE_URL"), { poolSize: poolSize() });

/**
 * The same with another pool, so that no delivery waits for a connection while many people search.
 * @throws {EnvironmentError} if DATABASE_URL is missing, or DATABASE_POOL_SIZE malformed
 */
export const searchDatabase = (): Database =>
  connect(required("DATABASE_URL"), { poolSize: poolSize(), purpose: "search" });

// A window of a large table may take longer than a request of the app.
const DIRECT_STATEMENT_MS = 120_000;

/**
 * Where a connection has its session for itself: for what takes long, and for commands.
 * @throws {EnvironmentError} if there is no URL
 */
export const directUrl = (): string => optional("DIRECT_DATABASE_URL") ?? required("DATABASE_URL");

/**
 * The database at {@link directUrl}, for commands and capture.
 * @throws {EnvironmentError} if there is no URL
 */
export const directDatabase = (): Database =>
  connect(directUrl(), { statementTimeoutMs: DIRECT_STATEMENT_MS });

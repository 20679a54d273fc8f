import { optional, required } from "../env/env.ts";
import { connect, type Database } from "./client.ts";

/**
 * The product's database, with one small pool per process.
 * @throws {EnvironmentError} if DATABASE_URL is missing, or DATABASE_POOL_SIZE malformed
 */
export const database = (): Database =>
  connect(required("DATABASE_URL"), { poolSize: Number(optional("DATABASE_POOL_SIZE") ?? 5) });

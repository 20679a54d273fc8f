import { optional, required } from "../env/env.ts";
import { connect, type Database } from "./client.ts";

/**
 * The product's database, through one small pool for each process.
 * @throws {EnvironmentError} when DATABASE_URL is missing, or DATABASE_POOL_SIZE malformed
 */
export const database = (): Database =>
  connect(required("DATABASE_URL"), { poolSize: Number(optional("DATABASE_POOL_SIZE") ?? 5) });

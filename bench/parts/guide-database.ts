import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { FreshDatabase, Server } from "./server.ts";

/** A database with the guide's tables. */
export async function guideDatabase(server: Server): Promise<FreshDatabase> {
  const database = await server.fresh();
  await database.client.query(readFileSync(join(import.meta.dirname, "../guide/schema.sql"), "utf8"));
  return database;
}

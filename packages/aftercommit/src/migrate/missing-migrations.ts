import { sql } from "drizzle-orm";
import { DatabaseError } from "pg";
import type { Queries } from "../source.ts";

/** The files of sql/, in their order. A built app does not have that folder. */
export const MIGRATIONS = ["001_aftercommit"] as const;

const UNDEFINED = ["3F000", "42P01"];

async function readApplied(db: Queries): Promise<Set<string>> {
  try {
    const { rows } = await db.execute<{ name: string }>(sql`select name from aftercommit.migrations`);
    return new Set(rows.map(({ name }) => name));
  } catch (error) {
    const { cause } = error instanceof Error ? error : {};
    if (cause instanceof DatabaseError && UNDEFINED.includes(cause.code ?? "")) return new Set();
    throw error;
  }
}

export async function findMissingMigrations(db: Queries): Promise<string[]> {
  const applied = await readApplied(db);
  return MIGRATIONS.filter((name) => !applied.has(name));
}

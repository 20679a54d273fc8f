import { sql } from "drizzle-orm";
import { DatabaseError } from "pg";
import type { Database } from "../client.ts";
import journal from "../migrations/meta/_journal.json" with { type: "json" };

const LEDGER_IS_MISSING = ["3F000", "42P01"];

/** The migrations of this build that the database does not have, by drizzle's ledger of them. */
export async function findMissingMigrations(db: Database): Promise<string[]> {
  const applied = await appliedAt(db);
  return journal.entries.filter(({ when }) => !applied.has(when)).map(({ tag }) => tag);
}

async function appliedAt(db: Database): Promise<Set<number>> {
  try {
    const { rows } = await db.execute<{ created_at: string }>(
      sql`select created_at from drizzle.__drizzle_migrations`,
    );
    return new Set(rows.map((row) => Number(row.created_at)));
  } catch (error) {
    const code =
      error instanceof Error && error.cause instanceof DatabaseError ? error.cause.code : undefined;
    if (code && LEDGER_IS_MISSING.includes(code)) return new Set();
    throw error;
  }
}

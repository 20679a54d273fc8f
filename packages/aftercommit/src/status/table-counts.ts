import { sql } from "drizzle-orm";
import type { Queries } from "../source.ts";

/**
 * Counts are exact up to this number; one more means "more than".
 *
 * @example
 * const shown = pending > MOST_COUNTED ? `over ${MOST_COUNTED}` : `${pending}`;
 */
export const MOST_COUNTED = 10_000;

/** The state of an embedded table, from the view aftercommit.status. */
export type TableCounts = {
  embedded: number;
  pending: number;
  failed: number;
  /** How long the oldest pending row has waited; null if none is pending. */
  oldestSeconds: number | null;
  /** What the provider charged on this UTC day, for all tables and searches together. */
  tokensToday: number;
};

/** The counts of every embedded table in the database, by the declaration's `row`. */
export async function readTableCounts(db: Queries): Promise<Map<string, TableCounts>> {
  const { rows } = await db.execute<TableCounts & { source: string }>(sql`
    select source, embedded::int, pending::int, failed::int, oldest_seconds::float8 as "oldestSeconds",
      tokens_today::float8 as "tokensToday"
    from aftercommit.status`);
  return new Map(rows.map(({ source, ...counts }) => [source, counts]));
}

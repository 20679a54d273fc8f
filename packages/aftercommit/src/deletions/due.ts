import { sql } from "drizzle-orm";
import type { DeletionDeclaration } from "../declare/declaration.ts";
import type { Queries } from "../source.ts";
import { HELD } from "./ledger.ts";

/** A deletion is due soon in the last quarter of its days. */
const SOON = 0.75;

/** How many open deletions of a declared table are overdue, or will be soon, except those on hold. */
export type Due = { row: string; overdue: number; soon: number };

export async function readDue(db: Queries, { row, dueDays }: DeletionDeclaration): Promise<Due> {
  const age = (days: number) => sql`requested_at <= now() - ${days} * interval '1 day'`;
  const { rows } = await db.execute<{ overdue: number; late: number }>(sql`
    select count(*) filter (where ${age(dueDays)})::int as overdue, count(*)::int as late
    from aftercommit.deletions
    where source = ${row} and completed_at is null and ${age(dueDays * SOON)} and not ${HELD}`);
  const { overdue = 0, late = 0 } = rows[0] ?? {};
  return { row, overdue, soon: late - overdue };
}

const some = (count: number, row: string) =>
  `${count} ${row.replaceAll("-", " ")} ${count === 1 ? "deletion is" : "deletions are"}`;

/**
 * What is late, in words; undefined if nothing is.
 *
 * @example
 * sayDue({ row: "user", overdue: 1, soon: 0 }); // "1 user deletion is overdue"
 */
export function sayDue({ row, overdue, soon }: Due): string | undefined {
  const parts = [overdue > 0 && `${some(overdue, row)} overdue`, soon > 0 && `${some(soon, row)} due soon`];
  return parts.filter(Boolean).join(", ") || undefined;
}

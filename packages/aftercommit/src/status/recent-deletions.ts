import { sql } from "drizzle-orm";
import { type Deletion, dateOf } from "../deletions/ledger.ts";
import type { Queries } from "../source.ts";

export type RecentDeletion = Pick<
  Deletion,
  "id" | "source" | "rowId" | "requiredSystems" | "systems" | "outcome" | "runId"
> & {
  requestedAt: Date;
  confirmationSentAt: Date | null;
  confirmationRefusedAt: Date | null;
  completedAt: Date | null;
  lastError: string | null;
};

type Times = "requestedAt" | "confirmationSentAt" | "confirmationRefusedAt" | "completedAt";
type Row = Omit<RecentDeletion, Times> & Record<Times, string> & Record<string, unknown>;

/** The last deletions, newest first, without the address. */
export async function findRecentDeletions(db: Queries, limit: number): Promise<RecentDeletion[]> {
  const { rows } = await db.execute<Row>(sql`
    select id::text, source, row_id as "rowId", required_systems as "requiredSystems", systems, outcome,
      run_id as "runId", requested_at as "requestedAt", confirmation_sent_at as "confirmationSentAt",
      confirmation_refused_at as "confirmationRefusedAt", completed_at as "completedAt", last_error as "lastError"
    from aftercommit.deletions order by requested_at desc, deletions.id desc limit ${limit}`);
  return rows.map((row) => ({
    ...row,
    requestedAt: new Date(row.requestedAt),
    confirmationSentAt: dateOf(row.confirmationSentAt),
    confirmationRefusedAt: dateOf(row.confirmationRefusedAt),
    completedAt: dateOf(row.completedAt),
  }));
}

import { sql } from "drizzle-orm";
import type { Queries } from "../source.ts";
import { dateOf } from "./ledger.ts";

/**
 * How long a claim of the confirmation lasts: one minute for the attempt, half a minute to record its end, and a
 * margin.
 */
const CLAIM = sql`interval '2 minutes'`;

const UNCLAIMED = sql`confirmation_claimed_by = null, confirmation_claimed_at = null`;

/** One statement, so that only one of two simultaneous attempts may send. */
export async function claimConfirmation(db: Queries, id: string, runId: string): Promise<boolean> {
  // If the claiming run attempts it again, its earlier attempt has ended.
  const { rowCount } = await db.execute(sql`
    update aftercommit.deletions
    set confirmation_claimed_by = ${runId}, confirmation_claimed_at = now(), updated_at = now()
    where id = ${id} and completed_at is null and confirmation_sent_at is null
      and (confirmation_claimed_by is null or confirmation_claimed_by = ${runId}
        or confirmation_claimed_at < now() - ${CLAIM})`);
  return rowCount === 1;
}

/** When another run may send the confirmation that one has claimed. */
export async function readClaimEnd(db: Queries, id: string): Promise<Date | undefined> {
  const { rows } = await db.execute<{ end: string | null }>(sql`
    select confirmation_claimed_at + ${CLAIM} as end from aftercommit.deletions where id = ${id}`);
  return dateOf(rows[0]?.end ?? null) ?? undefined;
}

/** Ends a claim after the mail server certainly did not accept the message; `bounced` if it never will. */
export async function releaseConfirmation(
  db: Queries,
  id: string,
  { runId, bounced }: { runId: string; bounced: boolean },
): Promise<void> {
  const refusal = bounced ? sql`confirmation_refused_at = coalesce(confirmation_refused_at, now()),` : sql``;
  await db.execute(sql`
    update aftercommit.deletions set ${refusal} ${UNCLAIMED}, updated_at = now()
    where id = ${id} and confirmation_claimed_by = ${runId}`);
}

/** Also deletes the address. `at` defaults to now. */
export async function recordConfirmationSent(db: Queries, id: string, at?: Date): Promise<void> {
  await db.execute(sql`
    update aftercommit.deletions
    set ${UNCLAIMED}, confirmation_refused_at = null, email = null, updated_at = now(),
      confirmation_sent_at = coalesce(confirmation_sent_at, ${at?.toISOString() ?? null}, now())
    where id = ${id}`);
}

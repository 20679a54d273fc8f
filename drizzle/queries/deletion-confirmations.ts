import { and, eq, isNotNull, isNull, or, sql } from "drizzle-orm";
import type { Database } from "../client.ts";
import { userDeletions } from "../schema.ts";

const now = sql`now()`;

const ofUser = (userId: string) => eq(userDeletions.userId, userId);

/** How long a claim of the confirmation holds: an attempt's minute, half a minute to record its end, and a margin. */
const CLAIM = sql`interval '2 minutes'`;

/** One statement, so that of two attempts which want to send at the same moment one may. */
export async function claimConfirmation(db: Database, userId: string, runId: string): Promise<boolean> {
  const { confirmationSentAt, confirmationClaimedBy, confirmationClaimedAt } = userDeletions;
  const claimed = await db
    .update(userDeletions)
    .set({ confirmationClaimedBy: runId, confirmationClaimedAt: now, updatedAt: now })
    .where(
      and(
        ofUser(userId),
        isNull(confirmationSentAt),
        or(
          isNull(confirmationClaimedBy),
          // Another attempt of this run, which began after the one that claimed had ended.
          eq(confirmationClaimedBy, runId),
          sql`${confirmationClaimedAt} < now() - ${CLAIM}`,
        ),
      ),
    )
    .returning({ userId: userDeletions.userId });
  return claimed.length > 0;
}

/** When another run may send the confirmation that one has claimed. */
export async function readClaimEnd(db: Database, userId: string): Promise<Date | undefined> {
  const [row] = await db
    .select({
      end: sql`${userDeletions.confirmationClaimedAt} + ${CLAIM}`.mapWith(userDeletions.requestedAt),
    })
    .from(userDeletions)
    .where(and(ofUser(userId), isNotNull(userDeletions.confirmationClaimedAt)));
  return row?.end;
}

const unclaimed = { confirmationClaimedBy: null, confirmationClaimedAt: null };

/** The confirmation was surely not accepted; `refused` when it never will be. */
export async function releaseConfirmation(
  db: Database,
  userId: string,
  { runId, refused }: { runId: string; refused: boolean },
): Promise<void> {
  const { confirmationRefusedAt, confirmationClaimedBy } = userDeletions;
  const refusal = refused ? { confirmationRefusedAt: sql`coalesce(${confirmationRefusedAt}, now())` } : {};
  await db
    .update(userDeletions)
    .set({ ...unclaimed, ...refusal, updatedAt: now })
    .where(and(ofUser(userId), eq(confirmationClaimedBy, runId)));
}

/** From here on the address is not kept. */
export async function recordConfirmationSent(db: Database, userId: string): Promise<void> {
  await db
    .update(userDeletions)
    .set({
      ...unclaimed,
      confirmationRefusedAt: null,
      confirmationSentAt: sql`coalesce(${userDeletions.confirmationSentAt}, now())`,
      email: null,
      updatedAt: now,
    })
    .where(ofUser(userId));
}

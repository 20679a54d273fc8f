import { and, asc, eq, getTableColumns, gt, isNull, type SQL, sql } from "drizzle-orm";
import type { PgColumn } from "drizzle-orm/pg-core";
import type { Database } from "../client.ts";
import { userDeletions } from "../schema.ts";

export type UserDeletion = typeof userDeletions.$inferSelect;

const now = sql`now()`;

const ofUser = (userId: string) => eq(userDeletions.userId, userId);

/** Keeps what is there: a second delivery changes nothing, and brings no address back. */
export async function recordDeletion(
  db: Database,
  deletion: { userId: string; email: string | null; emailHash: string | null },
): Promise<void> {
  await db.insert(userDeletions).values(deletion).onConflictDoNothing();
}

/** Keeps the run that is there: it may be a newer one than the handle of a repeated trigger call. */
export async function recordFirstRun(db: Database, userId: string, runId: string): Promise<void> {
  await db
    .update(userDeletions)
    .set({ runId, updatedAt: now })
    .where(and(ofUser(userId), isNull(userDeletions.runId)));
}

/** Says which run works on a deletion from now on; undefined when there is no such deletion or it is complete. */
export async function takeDeletion(
  db: Database,
  userId: string,
  runId: string,
): Promise<UserDeletion | undefined> {
  const [deletion] = await db
    .update(userDeletions)
    .set({ runId, updatedAt: now })
    .where(and(ofUser(userId), isNull(userDeletions.completedAt)))
    .returning(getTableColumns(userDeletions));
  return deletion;
}

export async function readDeletion(db: Database, userId: string): Promise<UserDeletion | undefined> {
  const [deletion] = await db.select().from(userDeletions).where(ofUser(userId));
  return deletion;
}

// One statement, so that systems which end at the same time do not overwrite each other's progress.
const withProgress = (system: string, progress: SQL) =>
  sql`jsonb_set(${userDeletions.systems}, array[${system}]::text[], ${progress})`;

export async function recordSystemClean(db: Database, userId: string, system: string): Promise<void> {
  await db
    .update(userDeletions)
    .set({ systems: withProgress(system, sql`jsonb_build_object('done_at', now())`), updatedAt: now })
    .where(ofUser(userId));
}

/** A system that is recorded as clean stays so. */
export async function recordSystemFailed(
  db: Database,
  userId: string,
  { system, error }: { system: string; error: string },
): Promise<void> {
  const progress = sql`jsonb_build_object('failed_at', now(), 'error', ${error}::text)`;
  const notClean = sql`${userDeletions.systems} #> array[${system}, 'done_at']::text[] is null`;
  await db
    .update(userDeletions)
    .set({ systems: withProgress(system, progress), updatedAt: now })
    .where(and(ofUser(userId), notClean));
}

/** From here on only the address's hash is kept. */
export async function recordConfirmationSent(db: Database, userId: string): Promise<void> {
  await db
    .update(userDeletions)
    .set({ confirmationSentAt: now, email: null, updatedAt: now })
    .where(ofUser(userId));
}

export async function recordCompleted(db: Database, userId: string): Promise<void> {
  await db
    .update(userDeletions)
    .set({ completedAt: now, lastError: null, updatedAt: now })
    .where(and(ofUser(userId), isNull(userDeletions.completedAt)));
}

export async function recordError(db: Database, userId: string, lastError: string): Promise<void> {
  await db.update(userDeletions).set({ lastError, updatedAt: now }).where(ofUser(userId));
}

export type IncompleteDeletion = { userId: string; runId: string | null; quiet: boolean };

/** The next incomplete deletions, in the order of their ids; `quiet` when nothing was recorded for an hour. */
export async function findIncompleteDeletions(
  db: Database,
  { after, limit }: { after: string | undefined; limit: number },
): Promise<IncompleteDeletion[]> {
  const { userId, runId, updatedAt, completedAt } = userDeletions;
  return db
    .select({ userId, runId, quiet: sql<boolean>`${updatedAt} < now() - interval '1 hour'` })
    .from(userDeletions)
    .where(and(isNull(completedAt), after === undefined ? undefined : gt(userId, after)))
    .orderBy(asc(userId))
    .limit(limit);
}

/** Deletes the rows whose column holds the user's id, from all tables or from none. */
export async function deleteRowsOfUser(
  db: Database,
  columns: readonly PgColumn[],
  userId: string,
): Promise<void> {
  await db.transaction(async (tx) => {
    for (const column of columns) await tx.delete(column.table).where(eq(column, userId));
  });
}

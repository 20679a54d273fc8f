import { and, asc, eq, getTableColumns, gt, isNull, or, type SQL, sql } from "drizzle-orm";
import type { PgColumn } from "drizzle-orm/pg-core";
import type { Database } from "../client.ts";
import { userDeletions } from "../schema.ts";

export type UserDeletion = typeof userDeletions.$inferSelect;

const now = sql`now()`;

const ofUser = (userId: string) => eq(userDeletions.userId, userId);

/** Keeps what is there: a second delivery changes nothing, and brings neither an address nor a system. */
export async function recordDeletion(
  db: Database,
  deletion: { userId: string; email: string | null; requiredSystems: string[] },
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

/**
 * Makes a run the holder of an open deletion, unless another than `from` is: of two that take it at the same moment,
 * one gets it. Undefined when it was not taken.
 */
export async function takeDeletion(
  db: Database,
  userId: string,
  { from, to, environment }: { from: string | null; to: string; environment: string },
): Promise<UserDeletion | undefined> {
  const [deletion] = await db
    .update(userDeletions)
    .set({ runId: to, environment, updatedAt: now })
    .where(
      and(
        ofUser(userId),
        isNull(userDeletions.completedAt),
        sql`${userDeletions.runId} is not distinct from ${from}`,
        or(isNull(userDeletions.environment), eq(userDeletions.environment, environment)),
      ),
    )
    .returning(getTableColumns(userDeletions));
  return deletion;
}

/** Decides the systems of a deletion that an older version accepted; what is decided stays. */
export async function decideSystems(db: Database, userId: string, names: string[]): Promise<void> {
  await db
    .update(userDeletions)
    .set({ requiredSystems: names, updatedAt: now })
    .where(and(ofUser(userId), isNull(userDeletions.requiredSystems)));
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

const heldBy = (userId: string, runId: string) =>
  and(ofUser(userId), eq(userDeletions.runId, runId), isNull(userDeletions.completedAt));

/**
 * Completes a deletion if the ledger agrees: the run holds it, each system that was decided is clean, and nobody is
 * left to be told. False when it does not.
 */
export async function recordCompleted(db: Database, userId: string, runId: string): Promise<boolean> {
  const { requiredSystems, systems, email } = userDeletions;
  const allClean = sql`${requiredSystems} is not null and not exists (
    select from unnest(${requiredSystems}) as name where ${systems} #> array[name, 'done_at'] is null
  )`;
  const completed = await db
    .update(userDeletions)
    .set({ completedAt: now, lastError: null, updatedAt: now })
    .where(and(heldBy(userId, runId), isNull(email), allClean))
    .returning({ userId: userDeletions.userId });
  return completed.length > 0;
}

/** Says why a run failed; nothing when another one holds the deletion by now. */
export async function recordError(
  db: Database,
  userId: string,
  { runId, error }: { runId: string; error: string },
): Promise<void> {
  await db.update(userDeletions).set({ lastError: error, updatedAt: now }).where(heldBy(userId, runId));
}

export type IncompleteDeletion = {
  userId: string;
  runId: string | null;
  /** Null in a deletion that no run has taken yet. */
  environment: string | null;
  quiet: boolean;
};

/**
 * The next incomplete deletions of an environment or of none yet, in the order of their ids; `quiet` when nothing was
 * recorded for an hour, and, where the mail server refuses the address, for as long as it has refused it already.
 */
export async function findIncompleteDeletions(
  db: Database,
  { environment: mine, after, limit }: { environment: string; after: string | undefined; limit: number },
): Promise<IncompleteDeletion[]> {
  const { userId, runId, environment, updatedAt, completedAt, confirmationRefusedAt } = userDeletions;
  const patience = sql`greatest(interval '1 hour', ${updatedAt} - ${confirmationRefusedAt})`;
  return db
    .select({ userId, runId, environment, quiet: sql<boolean>`${updatedAt} < now() - ${patience}` })
    .from(userDeletions)
    .where(
      and(
        isNull(completedAt),
        or(isNull(environment), eq(environment, mine)),
        after === undefined ? undefined : gt(userId, after),
      ),
    )
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

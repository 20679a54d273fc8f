import { type SQL, sql } from "drizzle-orm";
import type { Queries } from "../source.ts";

type SystemProgress = {
  done_at?: string;
  verified_at?: string;
  failed_at?: string;
  error?: string;
  /** How often `verify` found the row after a clean-up. */
  times_found?: number;
};

/** A deletion in the ledger. Its id consists of digits. */
export type Deletion = {
  id: string;
  source: string;
  rowId: string;
  email: string | null;
  requestedAt: Date;
  requiredSystems: string[];
  systems: Record<string, SystemProgress>;
  confirmationSentAt: Date | null;
  /** Since when the mail server has rejected the address. */
  confirmationRefusedAt: Date | null;
  completedAt: Date | null;
  outcome: "completed" | "row_is_back" | null;
  lastError: string | null;
  /** No run is needed before this time. */
  nextAt: Date | null;
  runId: string | null;
  /** Null until a run has taken it. */
  environment: string | null;
  /** Whether its row was on hold when this was read. */
  isHeld: boolean;
};

type OptionalTimes = "confirmationSentAt" | "confirmationRefusedAt" | "completedAt" | "nextAt";
type DeletionRow = Omit<Deletion, "requestedAt" | OptionalTimes> & { requestedAt: string } & Record<
    OptionalTimes,
    string | null
  >;

const HOLD = sql`from aftercommit.deletion_holds h
  where h.source = deletions.source and h.row_id = deletions.row_id`;

/** Whether the row of a deletion is on hold, as a condition of a query from aftercommit.deletions. */
export const HELD = sql`exists (select ${HOLD})`;

const COLUMNS = sql`id::text, source, row_id as "rowId", email, requested_at as "requestedAt",
  required_systems as "requiredSystems", systems, confirmation_sent_at as "confirmationSentAt",
  confirmation_refused_at as "confirmationRefusedAt", completed_at as "completedAt", outcome,
  last_error as "lastError", next_at as "nextAt", run_id as "runId", environment,
  (select true ${HOLD}) is not null as "isHeld"`;

/** A timestamp as drizzle's execute returns it. */
export const dateOf = (text: string | null) => (text === null ? null : new Date(text));

const deletionOf = (row: DeletionRow): Deletion => ({
  ...row,
  requestedAt: new Date(row.requestedAt),
  confirmationSentAt: dateOf(row.confirmationSentAt),
  confirmationRefusedAt: dateOf(row.confirmationRefusedAt),
  completedAt: dateOf(row.completedAt),
  nextAt: dateOf(row.nextAt),
});

/**
 * Identifies a deletion to other services, where its id is not enough: a recreated database starts again with the same
 * ids, and idempotency keys outlive it.
 */
export const keyOf = ({ source, id, requestedAt }: Pick<Deletion, "source" | "id" | "requestedAt">) =>
  `${source}-deletion.${id}.${requestedAt.getTime()}`;

/**
 * A deletion of a row. Its position distinguishes it from other deletions of the same row, and is only compared for
 * equality.
 */
export type NewDeletion = { rowId: string; position: string; email: string | null };

export type Recorded = Pick<Deletion, "id" | "source" | "rowId" | "requestedAt" | "runId"> & {
  position: string;
};

/**
 * Records the deletions of one delivery in one statement. A recorded deletion stays as it is: a second delivery adds no
 * address and no system, and finds the deletion by its position. No two deletions may be the same.
 */
export async function recordDeletions(
  db: Queries,
  { source, requiredSystems }: { source: string; requiredSystems: readonly string[] },
  deletions: readonly NewDeletion[],
): Promise<Recorded[]> {
  const column = (of: (deletion: NewDeletion) => string | null) => sql.param(deletions.map(of));
  // The update changes nothing, but a statement that does nothing on a conflict would not return a row that another
  // delivery is recording at the same time. Rule 7: in the order of the key.
  const { rows } = await db.execute<Omit<Recorded, "requestedAt"> & { requestedAt: string }>(sql`
    insert into aftercommit.deletions (source, row_id, position, email, accepted_xid, required_systems)
    select ${source}, given.row_id, given.position, given.email, pg_current_xact_id(),
      ${sql.param(requiredSystems)}::text[]
    from unnest(${column(({ rowId }) => rowId)}::text[], ${column(({ position }) => position)}::text[],
      ${column(({ email }) => email)}::text[]) as given(row_id, position, email)
    order by given.row_id collate "C", given.position
    on conflict (source, row_id, position) do update set position = excluded.position
    returning id::text, source, row_id as "rowId", position, requested_at as "requestedAt", run_id as "runId"`);
  return rows.map((row) => ({ ...row, requestedAt: new Date(row.requestedAt) }));
}

/** Keeps an existing run: it may be newer than the handle of a repeated trigger call. */
export async function recordFirstRun(db: Queries, id: string, runId: string): Promise<void> {
  await db.execute(sql`
    update aftercommit.deletions set run_id = ${runId}, updated_at = now() where id = ${id} and run_id is null`);
}

/**
 * Makes a run the owner of an open deletion, unless its owner is not `from`: of two simultaneous runs, only one
 * succeeds. Clears the previous run's error. Undefined if it was not taken.
 */
export async function takeDeletion(
  db: Queries,
  id: string,
  { from, to, environment }: { from: string | null; to: string; environment: string },
): Promise<Deletion | undefined> {
  const { rows } = await db.execute<DeletionRow>(sql`
    update aftercommit.deletions
    set run_id = ${to}, environment = ${environment}, last_error = null, next_at = null, updated_at = now()
    where id = ${id} and completed_at is null and run_id is not distinct from ${from}
      and (environment is null or environment = ${environment})
    returning ${COLUMNS}`);
  return rows[0] && deletionOf(rows[0]);
}

async function query(db: Queries, rest: SQL): Promise<Deletion[]> {
  const { rows } = await db.execute<DeletionRow>(sql`select ${COLUMNS} from aftercommit.deletions ${rest}`);
  return rows.map(deletionOf);
}

export const readDeletions = (db: Queries, condition: SQL, limit = 500) =>
  query(db, sql`where ${condition} order by deletions.id limit ${limit}`);

export const findRecentDeletions = (db: Queries, limit: number) =>
  query(db, sql`order by requested_at desc, deletions.id desc limit ${limit}`);

export async function readDeletion(db: Queries, id: string): Promise<Deletion | undefined> {
  const [deletion] = await readDeletions(db, sql`id = ${id}`, 1);
  return deletion;
}

export const deletionsOfRow = (db: Queries, { source, rowId }: Pick<Deletion, "source" | "rowId">) =>
  readDeletions(db, sql`source = ${source} and row_id = ${rowId}`);

// One statement, so that systems that end at the same time do not overwrite each other's progress.
const withProgress = (system: string, progress: SQL) =>
  sql`systems = jsonb_set(systems, array[${system}]::text[], ${progress}), updated_at = now()`;

/** `verified`: the system was asked afterwards, and has nothing about the row. */
export async function recordSystemClean(
  db: Queries,
  id: string,
  { system, verified = false }: { system: string; verified?: boolean },
): Promise<void> {
  const progress = verified
    ? sql`jsonb_build_object('done_at', now(), 'verified_at', now())`
    : sql`jsonb_build_object('done_at', now())`;
  await db.execute(sql`
    update aftercommit.deletions set ${withProgress(system, progress)} where id = ${id}`);
}

/** A system that is recorded as clean stays clean. */
export async function recordSystemFailed(
  db: Queries,
  id: string,
  { system, error, timesFound = 0 }: { system: string; error: string; timesFound?: number },
): Promise<void> {
  const counted = timesFound > 0 ? sql`, 'times_found', ${timesFound}::int` : sql``;
  const progress = sql`jsonb_build_object('failed_at', now(), 'error', ${error}::text ${counted})`;
  await db.execute(sql`
    update aftercommit.deletions set ${withProgress(system, progress)}
    where id = ${id} and systems #> array[${system}, 'done_at']::text[] is null`);
}

const ownedBy = (id: string, runId: string) => sql`id = ${id} and run_id = ${runId} and completed_at is null`;

/**
 * Completes a deletion if the ledger agrees: the run owns it, each required system is clean, and no one is left to
 * notify. Otherwise false.
 */
export async function recordCompleted(db: Queries, id: string, runId: string): Promise<boolean> {
  const { rowCount } = await db.execute(sql`
    update aftercommit.deletions
    set completed_at = now(), outcome = 'completed', last_error = null, updated_at = now()
    where ${ownedBy(id, runId)} and email is null and not exists (
      select from unnest(required_systems) as name where systems #> array[name, 'done_at'] is null
    )`);
  return rowCount === 1;
}

/** No run is needed before `at`, when the schedule checks the deletion again. */
export async function recordNextAt(db: Queries, id: string, { runId, at }: { runId: string; at: Date }) {
  await db.execute(sql`
    update aftercommit.deletions set next_at = ${at.toISOString()}, updated_at = now() where ${ownedBy(id, runId)}`);
}

/** Ends a deletion whose row exists again: the rest of it is not done, and the address is deleted. */
export async function recordRowIsBack(db: Queries, id: string): Promise<void> {
  await db.execute(sql`
    update aftercommit.deletions
    set completed_at = now(), outcome = 'row_is_back', email = null, last_error = null, updated_at = now(),
      next_at = null, confirmation_claimed_by = null, confirmation_claimed_at = null
    where id = ${id} and completed_at is null`);
}

/** Records why a run failed, unless another run owns the deletion now. */
export async function recordError(
  db: Queries,
  id: string,
  { runId, error }: { runId: string; error: string },
): Promise<void> {
  await db.execute(sql`
    update aftercommit.deletions set last_error = ${error}, updated_at = now() where ${ownedBy(id, runId)}`);
}

/**
 * The next open deletions that may need a run, in the order of their ids, of this environment or of none yet: those
 * without any run for a minute, and those whose run failed an hour ago, so that systems can recover. If the mail server
 * rejects the address, the wait is as long as it has rejected it so far. Excludes deletions that are on hold or not
 * due.
 */
export const findOpenDeletions = (
  db: Queries,
  {
    source,
    environment,
    after,
    limit,
  }: { source: string; environment: string; after: string; limit: number },
): Promise<Deletion[]> =>
  readDeletions(
    db,
    sql`source = ${source} and completed_at is null and id > ${after}
      and (environment is null or environment = ${environment}) and coalesce(next_at <= now(), true)
      and not ${HELD}
      and updated_at <= now() - case when run_id is null then interval '1 minute'
        when last_error is null then interval '0'
        else greatest(interval '1 hour', updated_at - confirmation_refused_at) end`,
    limit,
  );

import { randomUUID } from "node:crypto";
import { type SQL, sql } from "drizzle-orm";
import type { Queries } from "../source.ts";
import type { Lease, Leased, Queue } from "./entry.ts";

// A worker renews its leases every 15 s, so three failures in a row lose none.
const LEASE_SECONDS = 60;
const LONGEST_LEASE_SECONDS = 3_600;
// If this many workers leased the row and died before recording a result, it is processed alone from then on.
const SUSPICIOUS = 2;

const xmin = sql`pg_snapshot_xmin(pg_current_snapshot())`;
// As a subquery, so that the index can be used.
const now = sql`(select clock_timestamp())`;

/**
 * Rule 2: leases the entries that match a condition, in one statement, and counts the attempt now, so that a text that
 * crashes its worker counts. An entry that was waiting to be certain is like any other from here on.
 */
async function leaseWhere(db: Queries, where: SQL, limit: number): Promise<Lease> {
  const token = randomUUID();
  const { rows } = await db.execute<Leased>(sql`
    with due as (
      select source, row_id from aftercommit.pending where ${where}
      order by next_attempt limit ${limit} for update skip locked
    )
    update aftercommit.pending p set lease = ${token}, attempts = p.attempts + 1, settle_xid = null,
      next_attempt = clock_timestamp() + interval '1 second'
        * least(${LONGEST_LEASE_SECONDS}, ${LEASE_SECONDS} * 2 ^ greatest(0, p.attempts - 1))
    from due d where p.source = d.source and p.row_id = d.row_id
    returning p.row_id as "rowId", p.queue, p.version::text, p.accepted_xid::text as "acceptedXid",
      p.changed_at::text as "changedAt", p.attempts`);
  return { token, entries: rows };
}

/** Leases up to `limit` due entries of a queue, those that have waited longest first. */
export async function leaseDue(db: Queries, source: string, queue: Queue, limit: number): Promise<Lease> {
  const due = sql`source = ${source} and queue = ${queue} and settle_xid is null and next_attempt <= ${now}`;
  const lease = await leaseWhere(db, sql`${due} and attempts < ${SUSPICIOUS}`, limit);
  return lease.entries.length > 0 ? lease : leaseWhere(db, due, 1);
}

/** Leases up to `limit` due entries of a queue whose words are not written. */
export const leaseWordsDue = (db: Queries, source: string, queue: Queue, limit: number): Promise<Lease> =>
  leaseWhere(
    db,
    sql`source = ${source} and queue = ${queue} and words_due and settle_xid is null and next_attempt <= ${now}`,
    limit,
  );

/** Leases entries whose last read may have been too early to see the change, and that are certain now (rule 5). */
export const leaseSettled = (db: Queries, source: string, limit: number): Promise<Lease> =>
  leaseWhere(db, sql`source = ${source} and settle_xid is not null and settle_xid <= ${xmin}`, limit);

/** Leases the entry of one row, if it is due. */
export const leaseRow = (db: Queries, source: string, rowId: string): Promise<Lease> =>
  leaseWhere(
    db,
    sql`source = ${source} and row_id = ${rowId} and next_attempt <= ${now} and (settle_xid is null or settle_xid <= ${xmin})`,
    1,
  );

/** Extends leases by the same time again. */
export async function renewLease(
  db: Queries,
  source: string,
  { token, rowIds }: { token: string; rowIds: readonly string[] },
): Promise<void> {
  await db.execute(sql`
    update aftercommit.pending p
    set next_attempt = greatest(p.next_attempt, clock_timestamp() + interval '1 second' * ${LEASE_SECONDS})
    from (select row_id from aftercommit.pending where source = ${source} and row_id = any(${sql.param(rowIds)}::text[])
      and lease = ${token} order by row_id for update) mine
    where p.source = ${source} and p.row_id = mine.row_id`);
}

import { sql } from "drizzle-orm";
import type { Queries } from "../source.ts";
import type { Change } from "./entry.ts";

/**
 * The changes of a delivery, one per row: an edit wins over a backfill of the same row, and a known time over an
 * unknown one.
 */
function distinct(changes: readonly Change[]): Change[] {
  const byRow = new Map<string, Change>();
  for (const change of changes) {
    const other = byRow.get(change.rowId);
    const queue = other?.queue === "realtime" ? other.queue : change.queue;
    byRow.set(change.rowId, { ...change, queue, changedAt: change.changedAt ?? other?.changedAt ?? null });
  }
  return [...byRow.values()];
}

/**
 * Rule 1: accepts the changed rows of one delivery, in one statement. From here on, none of them is lost. Each gets a
 * new version, so that a worker of an older version does not delete the entry. A leased entry stays leased until its
 * worker has seen the new version. Resolves with the version of each row.
 */
export async function accept(
  db: Queries,
  source: string,
  changes: readonly Change[],
): Promise<Map<string, string>> {
  if (changes.length === 0) return new Map();
  const rows = distinct(changes);
  const column = (of: (change: Change) => string | null) => sql.param(rows.map(of));
  // Rule 7: every statement over several entries locks them in the order of their keys, so that none deadlocks.
  const { rows: accepted } = await db.execute<{ rowId: string; version: string }>(sql`
    insert into aftercommit.pending as p
      (source, row_id, queue, version, changed_at, accepted_at, accepted_xid, next_attempt)
    select ${source}, g.row_id, g.queue, nextval('aftercommit.pending_version'), g.changed_at, clock_timestamp(),
      pg_current_xact_id(), clock_timestamp()
    from unnest(${column(({ rowId }) => rowId)}::text[], ${column(({ queue }) => queue)}::text[],
      ${column(({ changedAt }) => changedAt)}::timestamptz[]) as g(row_id, queue, changed_at)
    order by g.row_id collate "C"
    on conflict (source, row_id) do update set
      queue = case when p.error is null and p.queue = 'realtime' then p.queue else excluded.queue end,
      version = excluded.version,
      changed_at = coalesce(excluded.changed_at, p.changed_at),
      accepted_at = excluded.accepted_at,
      accepted_xid = greatest(p.accepted_xid, excluded.accepted_xid),
      settle_xid = null,
      next_attempt = case when p.lease is null then excluded.next_attempt else p.next_attempt end,
      attempts = 0,
      error = null,
      words_due = true
    returning row_id as "rowId", version::text`);
  return new Map(accepted.map(({ rowId, version }) => [rowId, version]));
}

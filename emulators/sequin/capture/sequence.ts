import { escapeIdentifier, type Pool } from "pg";

/**
 * Gives every newly committed transaction its place: a number that grows in commit order, and an index for each of its
 * changes. One statement sees one snapshot, so it takes a transaction whole or not at all, and takes one that started
 * early when it commits. Transactions are ordered by their last change: a transaction that waited for another's row
 * lock wrote after it. Returns how many changes were placed.
 */
export async function sequenceChanges(pool: Pool, schema: string): Promise<number> {
  const s = escapeIdentifier(schema);
  const placed = await pool.query(`
with fresh as materialized (
  select id, xid, at from ${s}.change where not routed and commit_lsn is null and backfill_id is null
), committed as materialized (
  select xid, max(at) as at, row_number() over (order by max(id)) as place from fresh group by xid
), counter as (
  update ${s}.state set last_lsn = last_lsn + (select count(*) from committed)
  where exists (select from committed)
  returning last_lsn - (select count(*) from committed) as base
)
update ${s}.change
set commit_lsn = counter.base + committed.place, commit_idx = ranked.idx, committed_at = committed.at
from counter, committed, (
  select id, xid, row_number() over (partition by xid order by id) - 1 as idx from fresh
) ranked
where ranked.xid = committed.xid and change.id = ranked.id`);
  return placed.rowCount ?? 0;
}

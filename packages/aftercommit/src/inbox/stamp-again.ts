import { sql } from "drizzle-orm";
import type { Database } from "../db/client.ts";
import type { Queries } from "../source.ts";

// However many entries there are, each statement ends long before its connection's timeout.
const AT_ONCE = 20_000;

/** Identifies the cluster and its timeline: transaction ids mean nothing on another one. */
const cluster = sql`(select system_identifier::text from pg_control_system()) as system_identifier,
  substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) as timeline`;

/**
 * Locks the next entries, and stamps them in a later statement. Resolves with the last of them, or null if there are no
 * more.
 */
async function stampNext(tx: Queries, source: string, after: string | null): Promise<string | null> {
  const { rows } = await tx.execute<{ id: string }>(sql`
    select row_id as id from aftercommit.pending
    where source = ${source} and (${after}::text is null or row_id > ${after})
    order by row_id limit ${AT_ONCE} for update`);
  const ids = rows.map(({ id }) => id);
  // Not our own transaction's id: an entry that was accepted just before it was locked may have a later one.
  await tx.execute(sql`
    update aftercommit.pending set accepted_xid = pg_snapshot_xmax(pg_current_snapshot()), settle_xid = null,
      lease = null, version = nextval('aftercommit.pending_version'), words_due = true,
      next_attempt = clock_timestamp()
    where source = ${source} and row_id = any(${sql.param(ids)}::text[])`);
  return ids.at(-1) ?? null;
}

/**
 * Rule 8: after a restore or a failover, the entries' transaction ids belong to another cluster. This stamps them
 * again, ends leases, and makes a full reconciliation due, because an asynchronous failover loses entries. Resolves
 * with whether that was necessary.
 */
export async function stampAgainElsewhere(db: Database, source: string): Promise<boolean> {
  return db.transaction(async (tx) => {
    const { rows } = await tx.execute(sql`
      update aftercommit.sources s set system_identifier = h.system_identifier, timeline = h.timeline,
        fully_reconciled_at = null, woken_at = null
      from (select ${cluster}) h where s.name = ${source}
        and (s.system_identifier, s.timeline) is distinct from (h.system_identifier, h.timeline)
      returning 1`);
    if (rows.length === 0) return false;
    let after: string | null = null;
    do after = await stampNext(tx, source, after);
    while (after !== null);
    return true;
  });
}

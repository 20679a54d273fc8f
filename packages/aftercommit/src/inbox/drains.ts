import { sql } from "drizzle-orm";
import type { Queries } from "../source.ts";

// A run that has not been seen for so long is dead. It says that it lives every few seconds.
const DEAD_SECONDS = 20;
export const HEARTBEAT_MS = 5_000;
// As long, a run that was asked for may wait to be started before another is.
const STARTS_SECONDS = 60;

/** A run begins to drain a source: whatever is accepted from now on, it will see. */
export async function joinDrain(db: Queries, source: string, runId: string): Promise<void> {
  await db.execute(sql`
    with woken as (update aftercommit.sources set woken_at = null where name = ${source} and woken_at is not null),
    dead as (delete from aftercommit.drains where seen_at < clock_timestamp() - interval '1 hour')
    insert into aftercommit.drains (run_id, source, seen_at) values (${runId}, ${source}, clock_timestamp())
    on conflict (run_id) do update set source = excluded.source, seen_at = excluded.seen_at`);
}

/** The run still drains. */
export async function stayInDrain(db: Queries, runId: string): Promise<void> {
  await db.execute(sql`update aftercommit.drains set seen_at = clock_timestamp() where run_id = ${runId}`);
}

/** The run drains no more. It has to look once more after this: what was accepted before has woken nobody. */
export async function leaveDrain(db: Queries, runId: string): Promise<void> {
  await db.execute(sql`delete from aftercommit.drains where run_id = ${runId}`);
}

/**
 * Claims the right to wake the drain of a source: false where a run drains it, or has been asked for, and while the
 * provider fails for everybody.
 */
export async function claimWakeUp(db: Queries, source: string): Promise<boolean> {
  const { rows } = await db.execute(sql`
    update aftercommit.sources s set woken_at = clock_timestamp()
    where s.name = ${source}
      and (s.woken_at is null or s.woken_at < clock_timestamp() - interval '1 second' * ${STARTS_SECONDS})
      and not exists (select from aftercommit.drains d
        where d.source = s.name and d.seen_at > clock_timestamp() - interval '1 second' * ${DEAD_SECONDS})
      and not exists (select from aftercommit.models where state = 'active' and paused_until > clock_timestamp())
    returning 1`);
  return rows.length > 0;
}

/** The run that was claimed could not be triggered. */
export async function giveUpWakeUp(db: Queries, source: string): Promise<void> {
  await db.execute(sql`update aftercommit.sources set woken_at = null where name = ${source}`);
}

/** Whether entries of a source are due, or wait to be certain and are so now. */
export async function isAnythingDue(db: Queries, source: string): Promise<boolean> {
  const { rows } = await db.execute<{ due: boolean }>(sql`
    select exists (select from aftercommit.pending where source = ${source} and queue in ('realtime', 'batch')
        and settle_xid is null and next_attempt <= (select clock_timestamp()))
      or exists (select from aftercommit.pending where source = ${source} and settle_xid is not null
        and settle_xid <= pg_snapshot_xmin(pg_current_snapshot())) as due`);
  return rows[0]?.due ?? false;
}

import { sql } from "drizzle-orm";
import type { Queries } from "../source.ts";

// A run without a heartbeat for this long is dead. It sends one every few seconds.
const DEAD_SECONDS = 20;
export const HEARTBEAT_MS = 5_000;
// A requested run may take this long to start before another one is requested.
const STARTS_SECONDS = 60;

/** A run starts to drain a source: it will see everything that is accepted from now on. */
export async function joinDrain(db: Queries, source: string, runId: string): Promise<void> {
  await db.execute(sql`
    with woken as (update aftercommit.sources set woken_at = null where name = ${source} and woken_at is not null),
    dead as (delete from aftercommit.drains where seen_at < clock_timestamp() - interval '1 hour')
    insert into aftercommit.drains (run_id, source, seen_at) values (${runId}, ${source}, clock_timestamp())
    on conflict (run_id) do update set source = excluded.source, seen_at = excluded.seen_at`);
}

/** The run's heartbeat. */
export async function stayInDrain(db: Queries, runId: string): Promise<void> {
  await db.execute(sql`update aftercommit.drains set seen_at = clock_timestamp() where run_id = ${runId}`);
}

/**
 * The run stops draining. It must check once more afterwards, because rows that were accepted before this woke no other
 * run.
 */
export async function leaveDrain(db: Queries, runId: string): Promise<void> {
  await db.execute(sql`delete from aftercommit.drains where run_id = ${runId}`);
}

/**
 * Claims the right to wake the drain of a source. False if a run drains it or was requested, and while the provider
 * fails for every text and no words are due.
 */
export async function claimWakeUp(db: Queries, source: string): Promise<boolean> {
  const { rows } = await db.execute(sql`
    update aftercommit.sources s set woken_at = clock_timestamp()
    where s.name = ${source}
      and (s.woken_at is null or s.woken_at < clock_timestamp() - interval '1 second' * ${STARTS_SECONDS})
      and not exists (select from aftercommit.drains d
        where d.source = s.name and d.seen_at > clock_timestamp() - interval '1 second' * ${DEAD_SECONDS})
      and (not exists (select from aftercommit.models where state = 'active' and paused_until > clock_timestamp())
        or exists (select from aftercommit.pending p where p.source = s.name and p.queue in ('realtime', 'batch')
          and p.words_due and p.settle_xid is null and p.next_attempt <= (select clock_timestamp())))
    returning 1`);
  return rows.length > 0;
}

/** The claimed run could not be triggered. */
export async function giveUpWakeUp(db: Queries, source: string): Promise<void> {
  await db.execute(sql`update aftercommit.sources set woken_at = null where name = ${source}`);
}

/** Whether entries of a source are due, or were waiting to be certain and now are. */
export async function isAnythingDue(db: Queries, source: string): Promise<boolean> {
  const { rows } = await db.execute<{ due: boolean }>(sql`
    select exists (select from aftercommit.pending where source = ${source} and queue in ('realtime', 'batch')
        and settle_xid is null and next_attempt <= (select clock_timestamp()))
      or exists (select from aftercommit.pending where source = ${source} and settle_xid is not null
        and settle_xid <= pg_snapshot_xmin(pg_current_snapshot())) as due`);
  return rows[0]?.due ?? false;
}

import { sql } from "drizzle-orm";
import type { Queries } from "../source.ts";
import type { Leased, Queue } from "./entry.ts";

/** How a leased entry ends if no newer change has arrived. If one has, it is due again in any case. */
export type Ending = {
  entry: Leased;
  /** Whether the row was read when its change was certainly visible (rule 4). */
  certain: boolean;
} & (
  | { kind: "done" }
  /** Something is left to do, from a time in Unix milliseconds. No attempt is counted. */
  | { kind: "later"; at: number; queue: Queue }
  /** This text failed (rule 6). It is retried after a wait that doubles each time. */
  | { kind: "failed"; error: string }
);

/** Another worker has these leases now. Whatever was written under them must be rolled back. */
export class LeasesLostError extends Error {
  override readonly name = "LeasesLostError";
  readonly rowIds: ReadonlySet<string>;

  constructor(rowIds: ReadonlySet<string>) {
    super(`${rowIds.size} leases are lost`);
    this.rowIds = rowIds;
  }
}

// 1, 2, 4, … minutes after a failed text, a day at most.
const FIRST_RETRY_SECONDS = 60;
const LAST_RETRY_SECONDS = 86_400;

type Locked = { rowId: string; version: string };

/**
 * Rule 5: locks the entries that a lease still owns, sorted by key, and ends each. With the version that was worked on,
 * an entry is deleted, waits to be certain, or is retried later; with a newer one, it is due now. Rejects with
 * LeasesLostError if the lease no longer owns one of them.
 */
export async function endEntries(
  tx: Queries,
  source: string,
  { token, endings }: { token: string; endings: readonly Ending[] },
): Promise<void> {
  const ids = endings.map(({ entry }) => entry.rowId);
  const { rows } = await tx.execute<Locked>(sql`
    select row_id as "rowId", version::text from aftercommit.pending
    where source = ${source} and row_id = any(${sql.param(ids)}::text[]) and lease = ${token}
    order by row_id for update`);
  const versions = new Map(rows.map(({ rowId, version }) => [rowId, version]));
  const lost = new Set(ids.filter((id) => !versions.has(id)));
  if (lost.size > 0) throw new LeasesLostError(lost);

  const isCurrent = ({ entry }: Ending) => versions.get(entry.rowId) === entry.version;
  const rowIds = (of: (ending: Ending) => boolean) => endings.filter(of).map(({ entry }) => entry.rowId);
  const done = rowIds((ending) => isCurrent(ending) && ending.kind === "done" && ending.certain);
  const settling = rowIds((ending) => isCurrent(ending) && ending.kind !== "later" && !ending.certain);
  const failed = endings.flatMap((ending) =>
    isCurrent(ending) && ending.kind === "failed" && ending.certain ? [ending] : [],
  );
  const later = endings.flatMap((ending) => (isCurrent(ending) && ending.kind === "later" ? [ending] : []));
  const newer = rowIds((ending) => !isCurrent(ending));

  const those = (list: readonly string[]) =>
    sql`source = ${source} and row_id = any(${sql.param(list)}::text[])`;
  if (done.length > 0) await tx.execute(sql`delete from aftercommit.pending where ${those(done)}`);
  if (settling.length > 0)
    await tx.execute(sql`update aftercommit.pending set settle_xid = accepted_xid, lease = null, attempts = 0,
      next_attempt = clock_timestamp() where ${those(settling)}`);
  if (newer.length > 0)
    await tx.execute(sql`update aftercommit.pending set lease = null, attempts = 0, next_attempt = clock_timestamp()
      where ${those(newer)}`);
  if (later.length > 0)
    await tx.execute(sql`
      update aftercommit.pending p set queue = g.queue, lease = null, attempts = greatest(0, p.attempts - 1),
        next_attempt = greatest(clock_timestamp(), to_timestamp(g.at / 1000))
      from unnest(${sql.param(later.map(({ entry }) => entry.rowId))}::text[],
        ${sql.param(later.map(({ at }) => at))}::float8[], ${sql.param(later.map(({ queue }) => queue))}::text[])
        as g(row_id, at, queue)
      where p.source = ${source} and p.row_id = g.row_id`);
  if (failed.length > 0)
    await tx.execute(sql`
      update aftercommit.pending p set lease = null, error = g.error, queue = 'batch',
        next_attempt = clock_timestamp() + interval '1 second'
          * least(${LAST_RETRY_SECONDS}, ${FIRST_RETRY_SECONDS} * 2 ^ least(20, greatest(0, p.attempts - 1)))
      from unnest(${sql.param(failed.map(({ entry }) => entry.rowId))}::text[],
        ${sql.param(failed.map(({ error }) => error))}::text[]) as g(row_id, error)
      where p.source = ${source} and p.row_id = g.row_id`);
}

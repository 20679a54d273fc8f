import { sql } from "drizzle-orm";
import type { Queries } from "../source.ts";
import { LeasesLostError } from "./end-entries.ts";
import type { Leased } from "./entry.ts";

/**
 * Records that the words of leased rows are written, unless a newer version has arrived. Locks the entries, sorted by
 * key, until the transaction ends. Rejects with LeasesLostError if a lease is no longer held.
 */
export async function noteWords(
  tx: Queries,
  source: string,
  { token, entries }: { token: string; entries: readonly Leased[] },
): Promise<void> {
  const { rows } = await tx.execute<{ rowId: string }>(sql`
    with held as (
      select p.row_id, g.version from aftercommit.pending p
      join unnest(${sql.param(entries.map(({ rowId }) => rowId))}::text[],
        ${sql.param(entries.map(({ version }) => version))}::bigint[]) as g (row_id, version) on g.row_id = p.row_id
      where p.source = ${source} and p.lease = ${token} order by p.row_id for update of p
    )
    update aftercommit.pending p set words_due = p.version <> h.version from held h
    where p.source = ${source} and p.row_id = h.row_id returning p.row_id as "rowId"`);
  const held = new Set(rows.map(({ rowId }) => rowId));
  const lost = entries.filter(({ rowId }) => !held.has(rowId)).map(({ rowId }) => rowId);
  if (lost.length > 0) throw new LeasesLostError(new Set(lost));
}

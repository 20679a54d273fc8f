import { sql } from "drizzle-orm";
import type { Queries } from "../source.ts";

/** A row that must not be cleaned up, and why. */
export type Hold = { source: string; rowId: string; reason: string; heldAt: Date };

type Row = { source: string; rowId: string };

/** Puts a row on hold, whether or not it has been deleted yet. An existing hold gets the new reason. */
export async function holdRow(db: Queries, { source, rowId }: Row, reason: string): Promise<void> {
  await db.execute(sql`
    insert into aftercommit.deletion_holds (source, row_id, reason) values (${source}, ${rowId}, ${reason})
    on conflict (source, row_id) do update set reason = excluded.reason`);
}

/** Ends a hold, and lets its open deletion continue without the wait after a failure. False if there was no hold. */
export async function releaseRow(db: Queries, { source, rowId }: Row): Promise<boolean> {
  const { rowCount } = await db.execute(sql`
    with released as (
      delete from aftercommit.deletion_holds where source = ${source} and row_id = ${rowId} returning source, row_id
    ), resumed as (
      update aftercommit.deletions d set last_error = null from released r
      where d.source = r.source and d.row_id = r.row_id and d.completed_at is null
    )
    select from released`);
  return rowCount === 1;
}

export async function isHeld(db: Queries, { source, rowId }: Row): Promise<boolean> {
  const { rowCount } = await db.execute(sql`
    select from aftercommit.deletion_holds where source = ${source} and row_id = ${rowId}`);
  return rowCount === 1;
}

export async function readHolds(db: Queries): Promise<Hold[]> {
  const { rows } = await db.execute<Omit<Hold, "heldAt"> & { heldAt: string }>(sql`
    select source, row_id as "rowId", reason, held_at as "heldAt" from aftercommit.deletion_holds
    order by held_at, source, row_id`);
  return rows.map((row) => ({ ...row, heldAt: new Date(row.heldAt) }));
}

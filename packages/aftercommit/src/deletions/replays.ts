import { sql } from "drizzle-orm";
import type { Queries } from "../source.ts";

type Row = { source: string; rowId: string };

/** Records that a row is deleted again and that its confirmation was already sent. */
export async function recordReplay(db: Queries, { source, rowId }: Row, sentAt: string): Promise<void> {
  await db.execute(sql`
    insert into aftercommit.deletion_replays (source, row_id, confirmation_sent_at)
    values (${source}, ${rowId}, ${sentAt}) on conflict do nothing`);
}

/** When an earlier deletion of a row, which a restore reverted, was confirmed. */
export async function readReplay(db: Queries, { source, rowId }: Row): Promise<Date | undefined> {
  const { rows } = await db.execute<{ at: string }>(sql`
    select confirmation_sent_at as at from aftercommit.deletion_replays
    where source = ${source} and row_id = ${rowId}`);
  return rows[0] && new Date(rows[0].at);
}

/** The next deletion of the row is confirmed like any other. */
export async function endReplay(db: Queries, { source, rowId }: Row): Promise<void> {
  await db.execute(sql`
    delete from aftercommit.deletion_replays where source = ${source} and row_id = ${rowId}`);
}

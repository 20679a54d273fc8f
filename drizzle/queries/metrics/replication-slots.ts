import { sql } from "drizzle-orm";
import type { Database } from "../../client.ts";

/** `retained` is null for a slot that is lost: the database keeps nothing for it any more. */
export type ReplicationSlot = { name: string; active: boolean; retained: number | null };

/** The replication slots of the server, and how many bytes of WAL it keeps for each: any of them fills its disk. */
export async function readReplicationSlots(db: Database): Promise<ReplicationSlot[]> {
  const { rows } = await db.execute<ReplicationSlot>(sql`
    select slot_name as name, active, pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)::float8 as retained
    from pg_replication_slots where not temporary order by slot_name`);
  return rows;
}

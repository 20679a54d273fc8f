import { setTimeout as sleep } from "node:timers/promises";
import { sql } from "drizzle-orm";
import { bytesBehind } from "../capture/lag.ts";
import type { Database } from "../db/client.ts";

const LATE_MS = 3_000;
const POLL_MS = 50;
const MB = 1024 * 1024;

/** How far the reader of a slot is behind: how long it takes to confirm the present position, and the bytes to it. */
export async function measureLag(db: Database, slot: string): Promise<{ isLate: boolean; text: string }> {
  const bytes = (await bytesBehind(db, slot)) ?? 0;
  const { rows } = await db.execute<{ lsn: string }>(sql`select pg_current_wal_flush_lsn()::text as lsn`);
  const isThere = sql`select from pg_replication_slots
    where slot_name = ${slot} and confirmed_flush_lsn >= ${rows[0]?.lsn}::pg_lsn`;
  const startedAt = Date.now();
  const passed = () => Date.now() - startedAt;
  let isLate = false;
  while (!isLate && (await db.execute(isThere)).rows.length === 0) {
    await sleep(POLL_MS);
    isLate = passed() > LATE_MS;
  }
  const seconds = `${isLate ? "more than " : ""}${(passed() / 1_000).toFixed(1)} s`;
  return { isLate, text: `${seconds} and ${(bytes / MB).toFixed(1)} MB behind` };
}

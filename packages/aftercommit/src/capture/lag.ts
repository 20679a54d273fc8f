import { type BatchObservableResult, metrics } from "@opentelemetry/api";
import { sql } from "drizzle-orm";
import type { Database } from "../db/client.ts";
import { METER, METRICS } from "../metrics/catalog.ts";

/** The bytes of WAL that the reader of a slot has not confirmed. Undefined if there is no such slot. */
export async function bytesBehind(db: Database, slot: string): Promise<number | undefined> {
  const { rows } = await db.execute<{ bytes: number }>(sql`
    select pg_wal_lsn_diff(pg_current_wal_flush_lsn(), confirmed_flush_lsn)::float8 as bytes
    from pg_replication_slots where slot_name = ${slot}`);
  return rows[0]?.bytes;
}

/** How far capture is behind, measured each time metrics are sent. A process that waits for the slot reports nothing. */
export function observeLag(db: Database, slot: string) {
  let currentAt: number | undefined;
  const meter = metrics.getMeter(METER);
  const gauge = (name: keyof typeof METRICS) => meter.createObservableGauge(name, METRICS[name]);
  const [size, time] = [gauge("aftercommit.capture.lag.size"), gauge("aftercommit.capture.lag.time")];
  const observe = async (result: BatchObservableResult) => {
    if (currentAt === undefined) return;
    result.observe(time, (Date.now() - currentAt) / 1_000, { slot });
    result.observe(size, (await bytesBehind(db, slot)) ?? 0, { slot });
  };
  meter.addBatchObservableCallback(observe, [size, time]);
  return {
    /** Everything that was committed until then, in Unix milliseconds, is stored. */
    stored(until: number): void {
      currentAt = until;
    },
    end: () => meter.removeBatchObservableCallback(observe, [size, time]),
  };
}

export type Lag = ReturnType<typeof observeLag>;

import type { Pool } from "pg";
import { requestBackfill } from "./capture/backfill.ts";
import type { Installed } from "./capture/install.ts";
import { parseTable } from "./config/source.ts";

/**
 * Asks for the backfills of sinks that have just been created, also of tables that do not exist yet. With
 * `initial_backfill: true` these are the tables that the source lists by name.
 */
export async function initialBackfills(pool: Pool, schema: string, sinks: Installed["sinks"]): Promise<void> {
  for (const { id, sink, isNew } of sinks) {
    if (!isNew || sink.initialBackfill === false) continue;
    const whole = (sink.source.includeTables ?? []).map((reference) => ({
      table: parseTable(reference),
      sortColumn: null,
      startPosition: null,
    }));
    const wanted = sink.initialBackfill === true ? whole : sink.initialBackfill;
    for (const request of wanted) await requestBackfill(pool, schema, { sinkId: id, ...request });
  }
}

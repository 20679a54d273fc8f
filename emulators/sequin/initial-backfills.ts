import type { Pool } from "pg";
import { requestInitialBackfills } from "./capture/backfill.ts";
import { parseTable } from "./config/source.ts";
import type { Outlet } from "./outlets.ts";

/**
 * Requests the backfills of new sinks, also of tables that do not exist yet. With `initial_backfill: true`, these are
 * the tables that the source lists by name.
 */
export async function initialBackfills(pool: Pool, schema: string, outlets: Outlet[]): Promise<void> {
  for (const { id, sink } of outlets) {
    const whole = (sink.source.includeTables ?? []).map((reference) => ({
      table: parseTable(reference),
      sortColumn: null,
      startPosition: null,
    }));
    const wanted = sink.initialBackfill === true ? whole : sink.initialBackfill || [];
    await requestInitialBackfills(pool, schema, id, wanted);
  }
}

import { UnavailableError } from "../errors.ts";
import { inParallel } from "../in-parallel.ts";
import type { Handler } from "../ingress/receive.ts";
import { type TaskRun, triggerRun } from "../runs/trigger-run.ts";
import type { EmbeddedSource } from "./embedded-source.ts";
import { type AskedRow, askedRow } from "./embedding-run.ts";
import { type BulkRun, lanesOf } from "./lanes.ts";

// In seconds that a run goes ahead of others: a large transaction is not kept waiting by a backfill of days.
const AHEAD_OF_BACKFILLS = 30 * 24 * 3_600;

type Planned = { run: TaskRun; rows: readonly AskedRow[] };

/**
 * How a route works on the messages of an embedded table's sink: an edit has a run of its own, many rows of one
 * delivery share one.
 */
export function embeddingHandler(source: EmbeddedSource): Handler<AskedRow> {
  const { live, bulk, tagOf } = source;

  const liveRun = (row: AskedRow): Planned => ({
    run: {
      task: live.task,
      payload: live.payload(row.id, row.changedAt),
      tags: [tagOf(row.id)],
      idempotencyKey: row.key,
    },
    rows: [row],
  });

  const bulkRun = ({ rows, key, urgent }: BulkRun<AskedRow>): Planned => ({
    run: {
      task: bulk.task,
      payload: bulk.payload([...new Set(rows.map(({ id }) => id))]),
      tags: [],
      idempotencyKey: key,
      ...(urgent ? { priority: AHEAD_OF_BACKFILLS } : {}),
    },
    rows,
  });

  return {
    ask: (message) => askedRow(message, source),
    async accept(asked, deadline) {
      const lanes = lanesOf(asked);
      const planned = [...lanes.live.map(liveRun), ...lanes.bulk.map(bulkRun)];
      const results = new Map<AskedRow, string | UnavailableError>();
      await inParallel(planned, async ({ run, rows }) => {
        const result = await triggerRun(run, deadline).catch((error: unknown) => {
          if (error instanceof UnavailableError) return error;
          throw error;
        });
        for (const row of rows) results.set(row, result);
      });
      return asked.map((row) => results.get(row) ?? new UnavailableError("no run was triggered"));
    },
  };
}

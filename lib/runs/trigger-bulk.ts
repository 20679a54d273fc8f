import { ApiError, queues, runs, tasks } from "@trigger.dev/sdk";
import type { EmbeddedSource } from "../embeddings/embedded-source.ts";

// A backfill waits its turn for as long as that; what nobody took by then is found by the reconciliation.
const TTL = "1d";

const WAITING = ["PENDING_VERSION", "DELAYED", "QUEUED"] as const;

/**
 * Triggers one run of the bulk lane for each list of rows, all by one request. `keyOf` names a list, the same when the
 * request is repeated. Resolves with the number of runs.
 */
export async function triggerBulk(
  { bulk }: EmbeddedSource,
  lists: readonly (readonly string[])[],
  keyOf: (list: readonly string[]) => string[],
): Promise<number> {
  if (lists.length === 0) return 0;
  const items = lists.map((list) => ({
    payload: bulk.payload(list),
    options: { ttl: TTL, idempotencyKey: keyOf(list) },
  }));
  const { runCount } = await tasks.batchTrigger(bulk.task, items);
  return runCount;
}

/** How many runs of the bulk lane are under way or wait: 0 where there are none. */
export async function bulkRunsUnderWay({ bulk }: EmbeddedSource): Promise<number> {
  try {
    const { queued, running } = await queues.retrieve({ type: "task", name: bulk.task });
    return queued + running;
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 404) throw error;
    // The queue is known once a worker is: what was triggered before waits for that.
    const { data } = await runs.list({ taskIdentifier: bulk.task, status: [...WAITING], limit: 1 });
    return data.length;
  }
}

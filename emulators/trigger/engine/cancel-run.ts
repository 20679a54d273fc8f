import type { Run } from "../store/records.ts";
import { report } from "./describe.ts";
import type { Engine } from "./engine.ts";
import { finishRun } from "./finish-run.ts";
import { isFinished, setSnapshot } from "./snapshots.ts";

/**
 * Cancels a run. An executing run is asked to stop, and is finished when its process has stopped; `finalize` says that
 * nothing executes it any more. Its children are canceled with it, once it is finished. A run that waits in its queue
 * ends without a time, as on the real server; a child gets its parent's (cancelRun in
 * internal-packages/run-engine/src/engine/systems/runAttemptSystem.ts of triggerdotdev/trigger.dev).
 */
export function cancelRun(
  engine: Engine,
  run: Run,
  {
    reason = "Canceled by user",
    finalize = false,
    finishedAt,
  }: { reason?: string | undefined; finalize?: boolean; finishedAt?: number } = {},
): void {
  const { status } = run.snapshot;
  if (isFinished(run)) return;
  if (status === "PENDING_CANCEL" && !finalize) {
    engine.notify(run);
    return;
  }
  const executing = status.startsWith("EXECUTING") || status === "PENDING_EXECUTING";
  if (executing && !finalize) {
    run.status = "CANCELED";
    run.error = { type: "STRING_ERROR", raw: reason };
    run.finishedAt = finishedAt;
    setSnapshot(engine, run, "PENDING_CANCEL", "Run was cancelled");
    engine.notify(run);
    report(engine, run, "cancel requested");
    return;
  }
  finishRun(engine, run, {
    status: "CANCELED",
    error: { type: "STRING_ERROR", raw: reason },
    description: "Run was cancelled, not finished",
    finishedAt: finalize ? engine.clock.now() : finishedAt,
  });
  for (const id of [...engine.index.children(run.id)]) {
    const child = engine.tables.runs.get(id);
    if (child) cancelRun(engine, child, { reason, finishedAt: run.finishedAt ?? engine.clock.now() });
  }
}

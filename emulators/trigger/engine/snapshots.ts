import type { TaskRunExecutionStatus } from "@trigger.dev/core/v3";
import { generateInternalId } from "@trigger.dev/core/v3/isomorphic";
import type { Run, Snapshot } from "../store/records.ts";
import type { Engine } from "./engine.ts";

/** How long a run may stay in a state without a heartbeat, in milliseconds (Trigger.dev's defaults). */
const stallAfter: Partial<Record<TaskRunExecutionStatus, number>> = {
  PENDING_EXECUTING: 60_000,
  PENDING_CANCEL: 60_000,
  EXECUTING: 300_000,
  EXECUTING_WITH_WAITPOINTS: 300_000,
};

/** Moves a run to its next execution status: a new snapshot id, its place in the queue, its stall timer. */
export function setSnapshot(
  engine: Engine,
  run: Run,
  status: TaskRunExecutionStatus,
  description: string,
  change: { completed?: Snapshot["completed"]; queueTimestamp?: number } = {},
): void {
  engine.queue.leave(run);
  if (change.queueTimestamp !== undefined) run.queueTimestamp = change.queueTimestamp;
  run.snapshot = {
    id: generateInternalId(),
    previousId: run.snapshot.id,
    status,
    description,
    createdAt: engine.clock.now(),
    completed: change.completed ?? [],
  };
  engine.queue.enter(run);
  engine.wake();
  armStall(engine, run);
  saveRun(engine, run);
}

/**
 * Whether a request names the snapshot that this run has left, and may repeat one whose response was lost: a server
 * process that has ended since stored it.
 */
export function isRepeated(engine: Engine, run: Run, snapshotId: string): boolean {
  return run.snapshot.previousId === snapshotId && engine.restored.has(run.snapshot.id);
}

export function armStall(engine: Engine, run: Run, longest = Infinity): void {
  const limit = stallAfter[run.snapshot.status];
  if (limit === undefined) engine.timers.clear("stall", run.id);
  else engine.timers.set("stall", run.id, engine.clock.now() + Math.min(limit, longest));
}

export function saveRun(engine: Engine, run: Run): void {
  run.updatedAt = engine.clock.now();
  engine.tables.runs.save(run);
}

export function isFinished(run: Run): boolean {
  return run.snapshot.status === "FINISHED";
}

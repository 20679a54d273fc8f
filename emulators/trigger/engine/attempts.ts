import type { TaskRunExecutionResult, TaskRunFailedExecutionResult } from "@trigger.dev/core/v3";
import { ApiError } from "../errors.ts";
import type { Run } from "../store/records.ts";
import { cancelRun } from "./cancel-run.ts";
import { duration, errorMessage, report } from "./describe.ts";
import type { Engine } from "./engine.ts";
import { finalStatus } from "./final-status.ts";
import { endAttempt, finishRun, requeue } from "./finish-run.ts";
import { type FlushedMetadata, updateMetadata } from "./metadata.ts";
import { decideRetry, MAX_ATTEMPTS } from "./retry-decision.ts";
import { armStall, isFinished, isRepeated, setSnapshot } from "./snapshots.ts";
import { clearBlocks } from "./waitpoints.ts";

/** How many attempts of a run keep their times. */
const ATTEMPTS_KEPT = 20;

/** @throws ApiError 409 if the run has moved on from that snapshot, 400 if it is over */
export function startAttempt(engine: Engine, run: Run, snapshotId: string): void {
  if (run.snapshot.status === "EXECUTING" && isRepeated(engine, run, snapshotId)) return;
  if (run.snapshot.id !== snapshotId) throw new ApiError(409, "Snapshot changed inside startRunAttempt");
  if (isFinished(run) || run.snapshot.status === "PENDING_CANCEL")
    throw new ApiError(400, "Task run is already finished");
  if (!run.workerId) throw new ApiError(400, "Task run is not locked");

  const number = (run.attemptNumber ?? 0) + 1;
  if (number > MAX_ATTEMPTS) {
    fail(engine, run, {
      error: { type: "INTERNAL_ERROR", code: "TASK_RUN_CRASHED", message: "Max attempts reached." },
    });
    throw new ApiError(400, "Max attempts reached");
  }
  run.attemptNumber = number;
  run.attempts = [...run.attempts.slice(1 - ATTEMPTS_KEPT), { number, startedAt: engine.clock.now() }];
  run.status = "EXECUTING";
  run.ttlAt = undefined;
  engine.timers.clear("ttl", run.id);
  setSnapshot(engine, run, "EXECUTING", "Attempt created, starting execution");
  report(engine, run, `started attempt ${number}`);
}

/** Ignores a heartbeat for a snapshot that is no longer the latest. */
export function heartbeat(engine: Engine, run: Run, snapshotId: string): void {
  if (run.snapshot.id === snapshotId) armStall(engine, run);
}

export type AttemptStatus = "RUN_FINISHED" | "RUN_PENDING_CANCEL" | "RETRY_QUEUED" | "RETRY_IMMEDIATELY";

/** @throws ApiError 400 if the snapshot is not the latest or the run is over */
export function completeAttempt(
  engine: Engine,
  run: Run,
  snapshotId: string,
  completion: TaskRunExecutionResult,
  metadata?: FlushedMetadata,
): AttemptStatus {
  if (!attemptGoesOn(run) && isRepeated(engine, run, snapshotId)) return statusAfter(run);
  if (run.snapshot.id !== snapshotId && !(isOvertaken(run, snapshotId) && !completion.ok))
    throw new ApiError(400, "Snapshot ID doesn't match the latest snapshot");
  if (isFinished(run)) throw new ApiError(400, "Run is already finished");
  run.usageMs += completion.usage?.durationMs ?? 0;
  if (metadata) updateMetadata(engine, run, metadata);
  if (!completion.ok) return failAttempt(engine, run, completion);
  finishRun(engine, run, {
    status: "COMPLETED_SUCCESSFULLY",
    output: completion.output,
    outputType: completion.outputType,
    description: "Task completed successfully",
  });
  return "RUN_FINISHED";
}

/**
 * Whether a wait began or ended just before the run's owner could learn of it. If its process dies at that moment, the
 * real server rejects the report, and the run stalls for five minutes.
 */
function isOvertaken(run: Run, snapshotId: string): boolean {
  return attemptGoesOn(run) && run.snapshot.previousId === snapshotId;
}

function attemptGoesOn(run: Run): boolean {
  return run.snapshot.status.startsWith("EXECUTING") && run.attempts.at(-1)?.finishedAt === undefined;
}

function statusAfter(run: Run): AttemptStatus {
  if (run.snapshot.status === "QUEUED") return "RETRY_QUEUED";
  return run.snapshot.status === "EXECUTING" ? "RETRY_IMMEDIATELY" : "RUN_FINISHED";
}

function failAttempt(engine: Engine, run: Run, completion: TaskRunFailedExecutionResult): AttemptStatus {
  const now = engine.clock.now();
  clearBlocks(engine, run);
  const decision = decideRetry(run, completion, now);
  switch (decision.outcome) {
    case "cancel":
      cancelRun(engine, run, { reason: decision.reason, finalize: true });
      return "RUN_FINISHED";
    case "fail":
      fail(engine, run, completion);
      return "RUN_FINISHED";
    case "retry-at-once": {
      endAttempt(run, now, completion.error);
      setSnapshot(engine, run, "EXECUTING", "Attempt failed with a short delay, starting a new attempt");
      engine.notify(run);
      report(engine, run, retryLine(run, completion, completion.retry?.delay ?? 0));
      return "RETRY_IMMEDIATELY";
    }
    case "retry-queued": {
      endAttempt(run, now, completion.error);
      if (decision.machine) run.machine = decision.machine;
      if (!requeue(engine, run, decision.at)) return "RUN_FINISHED";
      report(engine, run, retryLine(run, completion, decision.at - now));
      return "RETRY_QUEUED";
    }
  }
}

function fail(engine: Engine, run: Run, { error }: Pick<TaskRunFailedExecutionResult, "error">): void {
  finishRun(engine, run, { status: finalStatus(error), error, description: "Run failed" });
}

function retryLine(run: Run, { error }: TaskRunFailedExecutionResult, delay: number): string {
  return `attempt ${run.attemptNumber} failed, retry in ${duration(delay)}: ${errorMessage(error)}`;
}

/** Handler of the "stall" timer: there was no heartbeat from the run's owner. */
export function stalled(engine: Engine, run: Run): void {
  switch (run.snapshot.status) {
    case "PENDING_EXECUTING":
      if (requeue(engine, run, run.queueTimestamp))
        report(engine, run, "was not started in time, queued again");
      break;
    case "PENDING_CANCEL":
      cancelRun(engine, run, { finalize: true });
      break;
    case "EXECUTING":
    case "EXECUTING_WITH_WAITPOINTS":
      fail(engine, run, { error: stallError(run.snapshot.status) });
  }
}

function stallError(status: "EXECUTING" | "EXECUTING_WITH_WAITPOINTS") {
  return {
    type: "INTERNAL_ERROR",
    code:
      status === "EXECUTING" ? "TASK_RUN_STALLED_EXECUTING" : "TASK_RUN_STALLED_EXECUTING_WITH_WAITPOINTS",
    message: "Run stalled: its process sent no heartbeat in time",
  } as const;
}

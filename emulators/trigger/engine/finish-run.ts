import type { TaskRunError } from "@trigger.dev/core/v3";
import type { Run } from "../store/records.ts";
import { duration, errorMessage, report } from "./describe.ts";
import type { Engine } from "./engine.ts";
import type { FailedStatus } from "./final-status.ts";
import { saveRun, setSnapshot } from "./snapshots.ts";
import { clearBlocks, completeWaitpoint, type WaitpointOutput } from "./waitpoints.ts";

/** The batch's status is checked this long after each of its runs ended. */
const BATCH_CHECK_AFTER_MS = 200;
const MAX_REQUEUES = 12;

export type Ending =
  | { status: "COMPLETED_SUCCESSFULLY"; output: string | undefined; outputType: string; description: string }
  | { status: "CANCELED"; error: TaskRunError; description: string; finishedAt: number | undefined }
  | { status: FailedStatus; error: TaskRunError; description: string };

/** Ends a run: frees its slot, and notifies whoever waits for it. */
export function finishRun(engine: Engine, run: Run, ending: Ending): void {
  const now = engine.clock.now();
  clearBlocks(engine, run);
  engine.timers.clear("delay", run.id);
  engine.timers.clear("ttl", run.id);
  engine.index.forgetDebounced(run);
  run.status = ending.status;
  run.finishedAt = "finishedAt" in ending ? ending.finishedAt : now;
  if (ending.status === "COMPLETED_SUCCESSFULLY") {
    run.output = ending.output;
    run.outputType = ending.outputType;
  } else run.error = ending.error;
  endAttempt(run, now, run.error);
  setSnapshot(engine, run, "FINISHED", ending.description);
  report(engine, run, endingLine(run, ending));

  for (const id of run.completes) {
    const waitpoint = engine.tables.waitpoints.get(id);
    if (waitpoint) completeWaitpoint(engine, waitpoint, runOutput(run));
  }
  if (run.batchId) engine.timers.set("batch-check", run.batchId, now + BATCH_CHECK_AFTER_MS);
}

/** What a parent that waits for this finished run receives. */
export function runOutput(run: Run): WaitpointOutput {
  if (run.status === "COMPLETED_SUCCESSFULLY")
    return { output: run.output, outputType: run.outputType, outputIsError: false };
  return { output: JSON.stringify(run.error), outputType: "application/json", outputIsError: true };
}

export function endAttempt(run: Run, now: number, error?: TaskRunError): void {
  const attempt = run.attempts.at(-1);
  if (!attempt || attempt.finishedAt !== undefined) return;
  attempt.finishedAt = now;
  if (error) attempt.error = error;
}

/** Returns the run to the queue, to be dequeued no earlier than `at`. False if it was returned too often. */
export function requeue(engine: Engine, run: Run, at: number): boolean {
  if (run.requeues + 1 >= MAX_REQUEUES) {
    finishRun(engine, run, {
      status: "SYSTEM_FAILURE",
      error: {
        type: "INTERNAL_ERROR",
        code: "TASK_RUN_DEQUEUED_MAX_RETRIES",
        message: "We tried to dequeue the run the maximum number of times but it wouldn't start executing",
      },
      description: "Run was put back in the queue too often",
    });
    return false;
  }
  run.requeues += 1;
  run.status = "PENDING";
  setSnapshot(engine, run, "QUEUED", "Requeued the run after a failure", { queueTimestamp: at });
  saveRun(engine, run);
  return true;
}

function endingLine(run: Run, ending: Ending): string {
  switch (ending.status) {
    case "COMPLETED_SUCCESSFULLY":
      return `completed in ${duration((run.finishedAt ?? 0) - (run.startedAt ?? 0))}`;
    case "CANCELED":
      return `canceled: ${errorMessage(ending.error)}`;
    case "EXPIRED":
      return `expired: ${errorMessage(ending.error)}`;
    default:
      return `failed: ${errorMessage(ending.error)}`;
  }
}

import {
  calculateNextRetryDelay,
  isOOMRunError,
  shouldLookupRetrySettings,
  shouldRetryError,
  type TaskRunFailedExecutionResult,
  taskRunErrorEnhancer,
} from "@trigger.dev/core/v3";
import type { Run } from "../store/records.ts";

export type RetryDecision =
  | { outcome: "cancel"; reason: string | undefined }
  | { outcome: "fail" }
  | { outcome: "retry-at-once" }
  | { outcome: "retry-queued"; at: number; machine?: Run["machine"] };

/** A shorter delay is slept by the process that owns the run; a longer one frees its slot in the queue. */
const QUEUED_RETRY_FROM_MS = 30_000;
export const MAX_ATTEMPTS = 250;

/**
 * What follows a failed attempt. The client computes the delay; the server decides whether and where
 * (internal-packages/run-engine/src/engine/retrying.ts of triggerdotdev/trigger.dev).
 */
export function decideRetry(
  run: Pick<Run, "attemptNumber" | "maxAttempts" | "lockedRetry" | "machine">,
  { error, retry }: Pick<TaskRunFailedExecutionResult, "error" | "retry">,
  now: number,
): RetryDecision {
  const attempt = run.attemptNumber ?? 1;
  if (error.type === "INTERNAL_ERROR" && error.code === "TASK_RUN_CANCELLED")
    return { outcome: "cancel", reason: error.message };

  if (isOOMRunError(error)) {
    const machine = run.lockedRetry?.outOfMemory?.machine;
    const delay =
      machine && machine !== run.machine && calculateNextRetryDelay(run.lockedRetry ?? {}, attempt);
    return delay ? { outcome: "retry-queued", at: now + delay, machine } : { outcome: "fail" };
  }

  const enhanced = taskRunErrorEnhancer(error);
  if (!shouldRetryError(enhanced)) return { outcome: "fail" };
  if (!run.maxAttempts || attempt >= run.maxAttempts || attempt > MAX_ATTEMPTS) return { outcome: "fail" };

  if (!retry) {
    const delay =
      shouldLookupRetrySettings(enhanced) && run.lockedRetry
        ? calculateNextRetryDelay(run.lockedRetry, attempt)
        : undefined;
    return delay ? { outcome: "retry-queued", at: now + delay } : { outcome: "fail" };
  }
  return retry.delay >= QUEUED_RETRY_FROM_MS
    ? { outcome: "retry-queued", at: retry.timestamp }
    : { outcome: "retry-at-once" };
}

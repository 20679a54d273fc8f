import type { RunStatus, TaskRunStatus } from "@trigger.dev/core/v3";
import type { z } from "zod";

export type PublicStatus = z.output<typeof RunStatus>;

const publicStatus: Record<TaskRunStatus, PublicStatus> = {
  DELAYED: "DELAYED",
  PENDING: "QUEUED",
  PENDING_VERSION: "PENDING_VERSION",
  WAITING_FOR_DEPLOY: "PENDING_VERSION",
  DEQUEUED: "DEQUEUED",
  EXECUTING: "EXECUTING",
  RETRYING_AFTER_FAILURE: "EXECUTING",
  WAITING_TO_RESUME: "WAITING",
  PAUSED: "WAITING",
  CANCELED: "CANCELED",
  INTERRUPTED: "FAILED",
  COMPLETED_SUCCESSFULLY: "COMPLETED",
  COMPLETED_WITH_ERRORS: "FAILED",
  SYSTEM_FAILURE: "SYSTEM_FAILURE",
  CRASHED: "CRASHED",
  EXPIRED: "EXPIRED",
  TIMED_OUT: "TIMED_OUT",
};

const queued = new Set<PublicStatus>(["QUEUED", "DELAYED", "PENDING_VERSION"]);
const executing = new Set<PublicStatus>(["EXECUTING", "DEQUEUED"]);
/** EXPIRED and TIMED_OUT are missing on the real server, too. */
const completed = new Set<PublicStatus>(["COMPLETED", "CANCELED", "FAILED", "CRASHED", "SYSTEM_FAILURE"]);

export function toPublicStatus(status: TaskRunStatus): PublicStatus {
  return publicStatus[status];
}

/** The helpers of ApiRetrieveRunPresenter.server.ts of triggerdotdev/trigger.dev. */
export function statusHelpers(status: PublicStatus) {
  const isCompleted = completed.has(status);
  return {
    isQueued: queued.has(status),
    isExecuting: executing.has(status),
    isWaiting: status === "WAITING",
    isCompleted,
    isSuccess: status === "COMPLETED",
    isFailed: isCompleted && status !== "COMPLETED",
    isCancelled: status === "CANCELED",
  };
}

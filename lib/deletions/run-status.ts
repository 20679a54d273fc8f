// The run came to nothing through no fault of the deletion's steps.
export const LOST: ReadonlySet<string> = new Set(["CANCELED", "CRASHED", "EXPIRED", "SYSTEM_FAILURE"]);
/** The statuses of a run whose task did all it could; any other failure came from outside. */
export const FAILED: ReadonlySet<string> = new Set(["FAILED", "TIMED_OUT"]);

/** Looks up a run's status by the names of Trigger.dev's API; undefined when this environment knows no such run. */
export type StatusOf = (runId: string) => Promise<string | undefined>;

/** Whether a run with this status works no more, nor ever will. */
export const hasEnded = (status: string) => status === "COMPLETED" || LOST.has(status) || FAILED.has(status);

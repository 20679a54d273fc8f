/** The statuses of a run whose task used all its attempts and failed. */
export const FAILED: ReadonlySet<string> = new Set(["FAILED", "TIMED_OUT"]);

/** The statuses of a run that failed for a reason outside its task. */
const LOST: ReadonlySet<string> = new Set(["CANCELED", "CRASHED", "EXPIRED", "SYSTEM_FAILURE"]);

/** Whether a run with this status ended without doing its work. */
export const cameToNothing = (status: string) => FAILED.has(status) || LOST.has(status);

/** Whether a run with this status has ended. */
export const hasEnded = (status: string) => status === "COMPLETED" || cameToNothing(status);

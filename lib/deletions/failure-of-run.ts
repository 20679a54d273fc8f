import { runs } from "@trigger.dev/sdk";

// By the names of Trigger.dev's API: the task did all it could. Any other end came from outside.
const FAILED = new Set(["FAILED", "TIMED_OUT"]);

/** Why a run's task failed; undefined when the run goes on, or was cancelled, crashed or expired. */
export async function failureOfRun(runId: string): Promise<string | undefined> {
  const { status, error } = await runs.retrieve(runId);
  return FAILED.has(status) ? (error?.message ?? status) : undefined;
}

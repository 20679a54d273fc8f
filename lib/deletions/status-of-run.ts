import { ApiError, runs } from "@trigger.dev/sdk";
import { FAILED, type StatusOf } from "./run-status.ts";

/** Asks Trigger.dev for a run's status. */
export const statusOfRun: StatusOf = async (runId) => {
  try {
    // Not tried again: the SDK would take seconds to believe a 404.
    const run = await runs.retrieve(runId, { retry: { maxAttempts: 1 } });
    return run.status;
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return undefined;
    throw error;
  }
};

/** Why a run's task failed; undefined when the run goes on, or was cancelled, crashed or expired. */
export async function failureOfRun(runId: string): Promise<string | undefined> {
  const { status, error } = await runs.retrieve(runId);
  return FAILED.has(status) ? (error?.message ?? status) : undefined;
}

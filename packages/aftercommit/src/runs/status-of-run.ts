import { ApiError, runs } from "@trigger.dev/sdk";

/** Looks up a run's status in the names of Trigger.dev's API; undefined if this environment has no such run. */
export type StatusOf = (runId: string) => Promise<string | undefined>;

export const statusOfRun: StatusOf = async (runId) => {
  try {
    // Without a retry: the SDK would repeat a 404 for seconds.
    const run = await runs.retrieve(runId, { retry: { maxAttempts: 1 } });
    return run.status;
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return undefined;
    throw error;
  }
};

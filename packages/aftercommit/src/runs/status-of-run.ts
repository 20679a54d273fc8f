import { ApiError, runs } from "@trigger.dev/sdk";

/** Looks up a run's status by the names of Trigger.dev's API; undefined when this environment knows no such run. */
export type StatusOf = (runId: string) => Promise<string | undefined>;

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

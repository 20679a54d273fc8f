import { ApiError, runs } from "@trigger.dev/sdk";
import type { StatusOf } from "./lost-deletions.ts";

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

import { runs } from "@trigger.dev/sdk";
import { FAILED } from "./statuses.ts";

/** Why a run's task failed; undefined when the run goes on, or was cancelled, crashed or expired. */
export async function failureOfRun(runId: string): Promise<string | undefined> {
  const { status, error } = await runs.retrieve(runId);
  return FAILED.has(status) ? (error?.message ?? status) : undefined;
}

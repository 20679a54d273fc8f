import { runs } from "@trigger.dev/sdk";
import { FAILED } from "./statuses.ts";

/** Why a run's task failed; undefined if the run is still going, or was canceled, crashed or expired. */
export async function failureOfRun(runId: string): Promise<string | undefined> {
  const { status, error } = await runs.retrieve(runId);
  return FAILED.has(status) ? (error?.message ?? status) : undefined;
}

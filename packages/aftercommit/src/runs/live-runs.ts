import { runs } from "@trigger.dev/sdk";

const LIVE = ["PENDING_VERSION", "DELAYED", "QUEUED", "DEQUEUED", "EXECUTING", "WAITING"] as const;

/** The runs of a task that are executing or waiting, with one request per 100 runs. */
export async function liveRuns(task: string): Promise<Set<string>> {
  const ids = new Set<string>();
  for await (const { id } of runs.list({ taskIdentifier: task, status: [...LIVE], limit: 100 })) ids.add(id);
  return ids;
}

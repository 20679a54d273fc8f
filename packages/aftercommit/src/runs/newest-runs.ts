import { runs } from "@trigger.dev/sdk";
import { withDeadline } from "../with-deadline.ts";
import { runUrl } from "./run-url.ts";
import { cameToNothing } from "./statuses.ts";

const LIMIT = 100;

/** A run in Trigger.dev; `failed` if it ended without doing its work. */
export type Run = { id: string; status: string; failed: boolean; url: string | undefined };

async function newestByTag(tag: string[], deadline: number): Promise<Map<string, Run>> {
  const once = { retry: { maxAttempts: 1 } };
  const page = await withDeadline(async () => runs.list({ tag, limit: LIMIT }, once), deadline);
  const newest = new Map<string, Run>();
  // The newest run comes first.
  for (const { id, status, tags } of page.data)
    for (const tag of tags)
      if (!newest.has(tag)) newest.set(tag, { id, status, failed: cameToNothing(status), url: runUrl(id) });
  return newest;
}

/**
 * The newest run of each tag, among the last 100 runs with one of them. Rejects if Trigger.dev does not answer before
 * `deadline`, in Unix milliseconds.
 */
export async function newestRuns(tags: readonly string[], deadline: number): Promise<Map<string, Run>> {
  return tags.length > 0 ? newestByTag([...tags], deadline) : new Map();
}

import { randomUUID } from "node:crypto";
import type { Database } from "../db/client.ts";
import type { EmbeddingDeclaration } from "../declare/declaration.ts";
import { embeddingTaskIds } from "../declare/names.ts";
import { rootMessageOf } from "../errors.ts";
import { log } from "../log.ts";
import { TriggerRefusedError, triggerRun } from "../runs/trigger-run.ts";
import { claimWakeUp, giveUpWakeUp } from "./drains.ts";

const DEADLINE_MS = 10_000;
const PRIORITY_SECONDS = 3_600;
const FIRST_RETRY_MS = 1_000;
const LAST_RETRY_MS = 15_000;

const retries = new Map<string, { timer: NodeJS.Timeout; at: number }>();

/**
 * While this process lives, it keeps trying, so that no one waits for the schedule once Trigger.dev is back. There is
 * one retry at a time, at the earliest time that any failure asked for.
 */
function retryLater(db: Database, declaration: EmbeddingDeclaration, waitMs: number): void {
  const { row } = declaration;
  const pending = retries.get(row);
  clearTimeout(pending?.timer);
  const now = Date.now();
  const at = Math.min(now + Math.min(waitMs, LAST_RETRY_MS), pending?.at ?? Number.POSITIVE_INFINITY);
  const retry = async () => {
    retries.delete(row);
    const woken = await wake(db, declaration, { retryMs: waitMs * 2 }).catch(() => "unavailable");
    if (woken === "woken") log("info", "drain.woken", { source: row });
  };
  retries.set(row, { timer: setTimeout(retry, at - now).unref(), at });
}

type Options = {
  /** How long to wait for Trigger.dev, as a time in Unix milliseconds. Default: ten seconds from now. */
  deadline?: number;
  retryMs?: number;
};

/**
 * Has a run of the drain work on the inbox, unless one does or was requested. The number of runs does not grow with the
 * number of rows, and no drain ends within a second, so Trigger.dev's limits are not reached. Resolves with
 * "unavailable" if Trigger.dev or the database does not answer: the rows are in the inbox, this process tries again,
 * and so does the schedule. Rejects with TriggerRefusedError if Trigger.dev rejects the key.
 */
export async function wake(
  db: Database,
  declaration: EmbeddingDeclaration,
  { deadline = Date.now() + DEADLINE_MS, retryMs = FIRST_RETRY_MS }: Options = {},
): Promise<"woken" | "not-needed" | "unavailable"> {
  const { row } = declaration;
  const run = {
    task: embeddingTaskIds(declaration).many,
    payload: {},
    tags: [],
    idempotencyKey: `wake:${row}:${randomUUID()}`,
    ttl: "10m",
    // In a rush, hundreds of runs of single rows would otherwise be queued before the one that works on all of them.
    priority: PRIORITY_SECONDS,
  };
  try {
    if (!(await claimWakeUp(db, row))) return "not-needed";
    try {
      await triggerRun(run, deadline);
      return "woken";
    } catch (error) {
      await giveUpWakeUp(db, row);
      throw error;
    }
  } catch (error) {
    if (error instanceof TriggerRefusedError) throw error;
    log("warn", "drain.not_woken", { source: row, error: rootMessageOf(error) });
    retryLater(db, declaration, retryMs);
    return "unavailable";
  }
}

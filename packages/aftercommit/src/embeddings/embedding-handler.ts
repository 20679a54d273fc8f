import { isAbout, type RowChange } from "../changes/row-change.ts";
import type { Database } from "../db/client.ts";
import type { EmbeddingDeclaration } from "../declare/declaration.ts";
import { embeddingTaskIds, idName, tagOf } from "../declare/names.ts";
import { UnavailableError } from "../errors.ts";
import { accept } from "../inbox/accept.ts";
import type { Change, Queue } from "../inbox/entry.ts";
import { wake } from "../inbox/wake.ts";
import { available } from "../ingress/available.ts";
import type { Accepted, Handler } from "../ingress/outcome.ts";
import { replacedKeyOf, rowIdOf } from "../ingress/row-id.ts";
import { mapConcurrent } from "../map-concurrent.ts";
import { acquire } from "../providers/rate-limiter.ts";
import { triggerRun } from "../runs/trigger-run.ts";
import { isEdit } from "./is-edit.ts";
import { touchesText } from "./touches-text.ts";

/** The row that changed, under its key and the one that the change replaced, if any. */
type AskedRow = { rowIds: string[]; change: RowChange };

// The rows are safe by then, so a hanging Trigger.dev must not keep Sequin waiting.
const TRIGGER_MS = 10_000;

// Trigger.dev accepts 1,500 requests a minute from an environment; each triggered run is one.
const RUN_LIMITS = { tokensPerMinute: 600, requestsPerMinute: 600 };

// One edit per 100 ms, with bursts. More is a rush: the drain handles it with a fraction of the runs, just as fast.
const RUSH = { editsASecond: 10, atOnce: 60 };

/** Decides whether edits may have their own runs, and leaves room for every other request to Trigger.dev. */
function roomForRuns() {
  let [level, at] = [0, Date.now()];
  return async (db: Database, runs: number): Promise<boolean> => {
    const now = Date.now();
    const left = Math.max(0, level - ((now - at) / 1_000) * RUSH.editsASecond);
    // Edits without a run count as well: the rush ends when the edits become fewer.
    [level, at] = [Math.min(left + runs, 2 * RUSH.atOnce), now];
    if (level > RUSH.atOnce) return false;
    const request = { name: "trigger.dev", tokens: runs, requests: runs, priority: false };
    return (await acquire(db, { ...request, limits: RUN_LIMITS })) === 0;
  };
}

/** Triggers a run for one edit. Undefined if Trigger.dev does not answer: the row waits in the inbox. */
async function triggerOne(
  declaration: EmbeddingDeclaration,
  { rowId, changedAt }: Change,
  { version, deadline }: { version: string; deadline: number },
): Promise<string | undefined> {
  const run = {
    task: embeddingTaskIds(declaration).one,
    payload: { [idName(declaration)]: rowId, changedAt },
    tags: [tagOf(declaration, rowId)],
    // With the version, because the run of an earlier delivery has ended and would not see this one.
    idempotencyKey: `${declaration.row}:${rowId}:${version}`,
  };
  try {
    return await triggerRun(run, deadline);
  } catch (error) {
    if (error instanceof UnavailableError) return undefined;
    throw error;
  }
}

/**
 * Handles the changes of an embedded table: the rows go into the inbox. An edit gets its own run, and many rows only
 * wake the drain.
 */
export function embeddingHandler(declaration: EmbeddingDeclaration): Handler<AskedRow> {
  const { row, key } = declaration;
  const hasRoom = roomForRuns();
  return {
    declaration,
    parse(change, keyType) {
      if (!isAbout(declaration, change, { named: "assumed" })) return undefined;
      const rowId = rowIdOf(change, key, keyType);
      const replaced = replacedKeyOf(change, key, keyType);
      if (!touchesText(change, declaration)) return "nothing";
      const rowIds = replaced === undefined || replaced === rowId ? [rowId] : [rowId, replaced];
      return { rowIds, change };
    },
    async enqueue(db, asked, deadline) {
      const isRealtime = isEdit(asked.map(({ change }) => change));
      const changes = asked.flatMap(({ rowIds, change }) => {
        const queue: Queue = isRealtime(change) ? "realtime" : "batch";
        return rowIds.map((rowId) => ({ rowId, changedAt: change.committedAt, queue }));
      });
      const versions = await available(() => accept(db, row, changes), deadline);
      const edits = changes.filter(({ queue, rowId }, index) => {
        const isLast = changes.findLastIndex((other) => other.rowId === rowId) === index;
        return queue === "realtime" && isLast;
      });
      const runs = new Map<string, string>();
      const limit = { deadline: Math.min(deadline, Date.now() + TRIGGER_MS) };
      if (edits.length > 0 && (await available(() => hasRoom(db, edits.length), deadline)))
        await mapConcurrent(edits, async (edit) => {
          const version = versions.get(edit.rowId) ?? "";
          const run = await triggerOne(declaration, edit, { version, ...limit });
          if (run !== undefined) runs.set(edit.rowId, run);
        });
      if ([...versions.keys()].some((rowId) => !runs.has(rowId))) await wake(db, declaration, limit);
      return asked.map(({ rowIds: [rowId = ""] }): Accepted => {
        const runId = runs.get(rowId);
        return runId === undefined ? "pending" : { runId };
      });
    },
  };
}

import type { Database } from "../db/client.ts";
import type { DeletionDeclaration } from "../declare/declaration.ts";
import { deletionTaskIds } from "../declare/names.ts";
import { log } from "../log.ts";
import { mapConcurrent } from "../map-concurrent.ts";
import type { StatusOf } from "../runs/status-of-run.ts";
import { hasEnded } from "../runs/statuses.ts";
import type { TaskRun } from "../runs/trigger-run.ts";
import { cleanupRun } from "./cleanup-run.ts";
import { readDue } from "./due.ts";
import { type Deletion, findOpenDeletions, takeDeletion } from "./ledger.ts";

const PAGE = 100;
// The ingress shares Trigger.dev's limit of 1,500 requests a minute.
const MOST_PER_PASS = 500;
const TRIGGER_MS = 30_000;

type Runs = {
  live(task: string): Promise<ReadonlySet<string>>;
  statusOf: StatusOf;
  start(run: TaskRun, deadline: number): Promise<string>;
};

type Pass = {
  environment: string;
  /** Identifies the pass: another attempt of it triggers nothing twice, and the next pass starts over. */
  id: string;
};

type Context = { db: Database; runs: Runs };

/** Whether no run will work on a deletion. The list of live runs may lag behind. */
async function isOrphaned({ id, runId, environment }: Deletion, statusOf: StatusOf): Promise<boolean> {
  if (runId === null) return true;
  const status = await statusOf(runId);
  if (status === undefined && environment === null) {
    // The run may belong to another environment and be about to take it.
    log("warn", "deletion.left_alone", { deletionId: id, runId });
    return false;
  }
  return status === undefined || hasEnded(status);
}

async function resume(
  declaration: DeletionDeclaration,
  deletion: Deletion,
  { environment, id: pass }: Pass,
  { db, runs }: Context,
): Promise<void> {
  const { id, runId: from } = deletion;
  const run = cleanupRun(declaration, deletion);
  // Without a run, the key of the first one: its trigger may have been accepted after all.
  const idempotencyKey = from === null ? run.idempotencyKey : `${pass}:${id}`;
  const to = await runs.start({ ...run, idempotencyKey }, Date.now() + TRIGGER_MS);
  // Does nothing if another run has taken it in the meantime.
  await takeDeletion(db, id, { from, to, environment });
}

/**
 * Triggers a run for each open deletion of a declared table and environment that has no run to finish it: up to 500,
 * oldest first. Lists the live runs once for all of them. Logs what is overdue, or will be soon.
 */
export async function resumeDeletions(
  declaration: DeletionDeclaration,
  pass: Pass,
  context: Context,
): Promise<{ triggered: number }> {
  const { db, runs } = context;
  const { row: source } = declaration;
  const { environment } = pass;
  const due = await readDue(db, declaration);
  if (due.overdue + due.soon > 0) log(due.overdue > 0 ? "error" : "warn", "deletions.due", due);
  const live = await runs.live(deletionTaskIds(declaration).cleanup);
  let triggered = 0;
  let after = "0";
  while (triggered < MOST_PER_PASS) {
    const page = await findOpenDeletions(db, { source, environment, after, limit: PAGE });
    const last = page.at(-1);
    if (!last) break;
    after = last.id;
    const candidates = page.filter(({ runId }) => runId === null || !live.has(runId));
    const resumed = await mapConcurrent(candidates, async (deletion) => {
      if (!(await isOrphaned(deletion, runs.statusOf))) return false;
      await resume(declaration, deletion, pass, context);
      return true;
    });
    triggered += resumed.filter(Boolean).length;
  }
  return { triggered };
}

import type { Database } from "../../drizzle/client.ts";
import {
  findIncompleteDeletions,
  type IncompleteDeletion,
  takeDeletion,
} from "../../drizzle/queries/user-deletions.ts";
import { database } from "../database.ts";
import { inParallel } from "../in-parallel.ts";
import { log } from "../log.ts";
import type { StatusOf } from "../runs/status-of-run.ts";
import { hasEnded, LOST } from "../runs/statuses.ts";

const PAGE = 100;

/** A deletion that no run works on, and the last one that did. */
export type LostDeletion = { userId: string; runId: string | null };

async function isLost(deletion: IncompleteDeletion, statusOf: StatusOf): Promise<boolean> {
  const { userId, runId, environment, quiet } = deletion;
  const status = runId === null ? undefined : await statusOf(runId);
  if (status !== undefined && LOST.has(status)) return true;
  if (status === undefined && environment === null) {
    // Another environment's run may be about to take it, or Sequin to deliver it again.
    log("info", "deletion.left_alone", { userId, runId });
    return false;
  }
  // Its systems get an hour to recover.
  return quiet && (status === undefined || hasEnded(status));
}

/**
 * Finds the deletions of an environment that are incomplete and have no run any more that would complete them, 100 at a
 * time: at once where the run was cancelled, crashed or expired, after a quiet hour where it failed.
 */
export async function* lostDeletions(
  statusOf: StatusOf,
  { environment, db = database() }: { environment: string; db?: Database },
): AsyncGenerator<LostDeletion[]> {
  let after: string | undefined;
  for (;;) {
    const page = await findIncompleteDeletions(db, { environment, after, limit: PAGE });
    if (page.length === 0) return;
    const lost = await inParallel(page, (deletion) => isLost(deletion, statusOf));
    yield page.filter((_, index) => lost[index]).map(({ userId, runId }) => ({ userId, runId }));
    after = page.at(-1)?.userId;
  }
}

/**
 * Notes the run that works on a lost deletion from now on, so that the next resumption leaves it alone while it lives;
 * nothing where another run has taken it meanwhile.
 */
export async function noteRun(
  { userId, runId }: LostDeletion,
  { to, environment, db = database() }: { to: string; environment: string; db?: Database },
): Promise<void> {
  await takeDeletion(db, userId, { from: runId, to, environment });
}

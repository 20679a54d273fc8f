import { connect, type Database } from "../../drizzle/client.ts";
import {
  findIncompleteDeletions,
  type IncompleteDeletion,
  takeDeletion,
} from "../../drizzle/queries/user-deletions.ts";
import { required } from "../env.ts";
import { inParallel } from "../in-parallel.ts";

const PAGE = 100;

// The run came to nothing through no fault of the deletion's steps.
const LOST = new Set(["CANCELED", "CRASHED", "EXPIRED", "SYSTEM_FAILURE"]);
/** The statuses of a run whose task did all it could; any other failure came from outside. */
export const FAILED: ReadonlySet<string> = new Set(["FAILED", "TIMED_OUT"]);

/** Looks up a run's status by the names of Trigger.dev's API; undefined when it knows no such run. */
export type StatusOf = (runId: string) => Promise<string | undefined>;

async function isLost({ runId, quiet }: IncompleteDeletion, statusOf: StatusOf): Promise<boolean> {
  const status = runId === null ? undefined : await statusOf(runId);
  // Its systems get an hour to recover.
  if (status === undefined || status === "COMPLETED" || FAILED.has(status)) return quiet;
  return LOST.has(status);
}

/**
 * Finds the users whose deletion is incomplete and has no run any more that would complete it, 100 at a time:
 * at once where the run was cancelled, crashed or expired, after a quiet hour where it failed.
 */
export async function* lostDeletions(
  statusOf: StatusOf,
  db: Database = connect(required("DATABASE_URL")),
): AsyncGenerator<string[]> {
  let after: string | undefined;
  for (;;) {
    const page = await findIncompleteDeletions(db, { after, limit: PAGE });
    if (page.length === 0) return;
    const lost = await inParallel(page, (deletion) => isLost(deletion, statusOf));
    yield page.filter((_, index) => lost[index]).map(({ userId }) => userId);
    after = page.at(-1)?.userId;
  }
}

/** Notes the run that works on a deletion from now on, so that the next resumption leaves it alone while it lives. */
export async function noteRun(
  userId: string,
  runId: string,
  db: Database = connect(required("DATABASE_URL")),
): Promise<void> {
  await takeDeletion(db, userId, runId);
}

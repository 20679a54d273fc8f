import type { Database } from "../../drizzle/client.ts";
import { readDeletion, takeDeletion, type UserDeletion } from "../../drizzle/queries/user-deletions.ts";
import type { StatusOf } from "../runs/status-of-run.ts";
import { hasEnded } from "../runs/statuses.ts";
import { ForeignDeletionError, UnknownDeletionError } from "./errors.ts";

/** A run of user-deletion-cleanup, in the environment that {@link environmentOf} names. */
export type DeletionRun = { userId: string; runId: string; environment: string };

export type Hold =
  | { kind: "held"; deletion: UserDeletion }
  | { kind: "complete"; deletion: UserDeletion }
  /** Another run works on it, or will. */
  | { kind: "under-way"; holder: string };

/**
 * Makes a run the one that works on a deletion, if no other is: the ledger decides, whoever triggered the runs. One
 * that has ended is taken over from.
 * Rejects with UnknownDeletionError, or ForeignDeletionError when another environment began it.
 */
export async function holdDeletion(
  { userId, runId, environment }: DeletionRun,
  { db, statusOf }: { db: Database; statusOf: StatusOf },
): Promise<Hold> {
  // Whenever it is not taken, another run has taken it meanwhile.
  for (;;) {
    const deletion = await readDeletion(db, userId);
    if (!deletion) throw new UnknownDeletionError(userId);
    if (deletion.completedAt) return { kind: "complete", deletion };
    const { runId: holder, environment: begunBy } = deletion;
    if (begunBy !== null && begunBy !== environment) throw new ForeignDeletionError(userId, begunBy);
    if (holder !== null && holder !== runId) {
      const status = await statusOf(holder);
      if (status === undefined && begunBy === null) throw new ForeignDeletionError(userId, holder);
      if (status !== undefined && !hasEnded(status)) return { kind: "under-way", holder };
    }
    const taken = await takeDeletion(db, userId, { from: holder, to: runId, environment });
    if (taken) return { kind: "held", deletion: taken };
  }
}

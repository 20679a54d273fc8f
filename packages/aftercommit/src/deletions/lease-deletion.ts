import type { Database } from "../db/client.ts";
import type { StatusOf } from "../runs/status-of-run.ts";
import { hasEnded } from "../runs/statuses.ts";
import { type Deletion, readDeletion, takeDeletion } from "./ledger.ts";
import { foreignDeletion, unknownDeletion } from "./step.ts";

/** A run that works on a deletion of a declared table, in an environment of Trigger.dev. */
export type DeletionRun = { source: string; deletionId: string; runId: string; environment: string };

export type Lease =
  | { kind: "leased"; deletion: Deletion }
  | { kind: "ended"; deletion: Deletion }
  /** Another run works on it, or will. */
  | { kind: "under-way"; owner: string };

/**
 * Makes a run the one that works on a deletion, if no other is: the ledger decides, whoever triggered the runs. One
 * that has ended is taken over from.
 * Rejects with StepError when it is not recorded, or another environment began it.
 */
export async function leaseDeletion(
  { source, deletionId, runId, environment }: DeletionRun,
  { db, statusOf }: { db: Database; statusOf: StatusOf },
): Promise<Lease> {
  // Whenever it is not taken, another run has taken it in the meantime.
  for (;;) {
    const deletion = await readDeletion(db, deletionId);
    if (deletion?.source !== source) throw unknownDeletion(deletionId);
    if (deletion.outcome) return { kind: "ended", deletion };
    const { runId: owner, environment: begunBy } = deletion;
    if (begunBy !== null && begunBy !== environment) throw foreignDeletion(deletionId, begunBy);
    if (owner !== null && owner !== runId) {
      const status = await statusOf(owner);
      if (status === undefined && begunBy === null) throw foreignDeletion(deletionId, owner);
      if (status !== undefined && !hasEnded(status)) return { kind: "under-way", owner };
    }
    const taken = await takeDeletion(db, deletionId, { from: owner, to: runId, environment });
    if (taken) return { kind: "leased", deletion: taken };
  }
}

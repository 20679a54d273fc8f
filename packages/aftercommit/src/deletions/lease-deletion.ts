import type { Database } from "../db/client.ts";
import type { StatusOf } from "../runs/status-of-run.ts";
import { hasEnded } from "../runs/statuses.ts";
import { readDeletion, takeDeletion } from "./ledger.ts";
import { foreignDeletion, unknownDeletion } from "./step.ts";

export type DeletionRun = { source: string; deletionId: string; runId: string; environment: string };

/**
 * Makes a run the owner of a deletion, unless another run owns it. The ledger decides, whoever triggered the runs. A
 * run that has ended is replaced. Rejects with StepError if the deletion is not recorded, or began in another
 * environment.
 */
export async function leaseDeletion(
  { source, deletionId, runId, environment }: DeletionRun,
  { db, statusOf }: { db: Database; statusOf: StatusOf },
) {
  // If it cannot be taken, another run has just taken it.
  for (;;) {
    const deletion = await readDeletion(db, deletionId);
    if (deletion?.source !== source) throw unknownDeletion(deletionId);
    if (deletion.outcome) return { kind: "ended", deletion } as const;
    const { runId: owner, environment: begunBy } = deletion;
    if (begunBy !== null && begunBy !== environment) throw foreignDeletion(deletionId, begunBy);
    if (owner !== null && owner !== runId) {
      const status = await statusOf(owner);
      if (status === undefined && begunBy === null) throw foreignDeletion(deletionId, owner);
      if (status !== undefined && !hasEnded(status)) return { kind: "under-way", owner } as const;
    }
    const taken = await takeDeletion(db, deletionId, { from: owner, to: runId, environment });
    if (taken) return { kind: "leased", deletion: taken } as const;
  }
}

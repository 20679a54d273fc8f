import type { DeletionDeclaration } from "../declare/declaration.ts";
import { deletionTaskIds, idName, tagOf } from "../declare/names.ts";
import type { TaskRun } from "../runs/trigger-run.ts";
import { type Deletion, keyOf } from "./ledger.ts";

/** The run that works on a deletion. Trigger.dev gets only ids. */
export function cleanupRun(
  declaration: DeletionDeclaration,
  deletion: Pick<Deletion, "id" | "source" | "rowId" | "requestedAt">,
): TaskRun {
  const { id, rowId } = deletion;
  return {
    task: deletionTaskIds(declaration).cleanup,
    payload: { [idName(declaration)]: rowId, deletionId: id },
    tags: [tagOf(declaration, rowId)],
    idempotencyKey: keyOf(deletion),
    // A deletion happens once: even a delivery years later starts nothing new.
    idempotencyKeyTTL: "3650d",
  };
}

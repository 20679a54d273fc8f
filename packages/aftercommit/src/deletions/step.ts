import * as z from "zod";
import type { Database } from "../db/client.ts";
import type { DeletionDeclaration } from "../declare/declaration.ts";
import { StepError } from "./errors.ts";
import { type Deletion, readDeletion } from "./ledger.ts";

export const deletionIdSchema = z.string().regex(/^[1-9]\d{0,17}$/, "must be the id of a deletion");

/** What the run of a step is about, and the Trigger.dev environment that it is in. */
export type StepRequest = { deletionId: string; environment: string; signal: AbortSignal };

export type StepContext = { db: Database; declarations: readonly DeletionDeclaration[] };

export const unknownDeletion = (id: string) =>
  new StepError(`No deletion ${id} is recorded`, { retryable: false });

export const foreignDeletion = (id: string, begunBy: string) =>
  new StepError(`Deletion ${id} was begun by ${begunBy}: only a run there may work on it`, {
    retryable: false,
  });

/**
 * The deletion that a step works on. Rejects with StepError if it is not recorded, is open in another environment, or
 * belongs to no declared table.
 */
export async function stepOf(
  { deletionId, environment }: StepRequest,
  { db, declarations }: StepContext,
): Promise<{ deletion: Deletion; declaration: DeletionDeclaration }> {
  const deletion = await readDeletion(db, deletionId);
  if (!deletion) throw unknownDeletion(deletionId);
  if (!deletion.outcome && deletion.environment !== environment)
    throw foreignDeletion(deletionId, deletion.environment ?? "no run");
  const declaration = declarations.find(({ row }) => row === deletion.source);
  if (!declaration)
    throw new StepError(`${deletion.source} is not declared where the task runs`, { retryable: false });
  return { deletion, declaration };
}

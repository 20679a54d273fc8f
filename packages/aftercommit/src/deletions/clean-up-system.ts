import { z } from "zod";
import { EnvironmentError } from "../env.ts";
import { log } from "../log.ts";
import { codeOf, StepError } from "./errors.ts";
import { systemsOf } from "./external-systems.ts";
import { keyOf, recordSystemClean, recordSystemFailed } from "./ledger.ts";
import { rowIsBack } from "./row-is-back.ts";
import { type StepContext, type StepRequest, stepOf } from "./step.ts";
import { withinAttempt } from "./within-attempt.ts";

/** An id of the ledger. */
export const deletionIdSchema = z.string().regex(/^[1-9]\d{0,17}$/, "must be the id of a deletion");

/** What a run of clean-up-external-system is about: `system` is a name that the ledger requires. */
export const cleanUpSchema = z.object({ deletionId: deletionIdSchema, system: z.string().min(1) });

type Result = {
  deletionId: string;
  system: string;
  status: "clean" | "already-clean" | "not-required" | "row-is-back";
};

const shownOf = (error: unknown) =>
  error instanceof StepError || error instanceof EnvironmentError ? error : new StepError(codeOf(error));

/**
 * One attempt to clean one external system, unless the ledger says that it is clean, or the row is back.
 * Rejects with a StepError or EnvironmentError after recording it, or as {@link stepOf} and {@link rowIsBack}.
 */
export async function cleanUpSystem(
  request: StepRequest & { system: string },
  context: StepContext,
): Promise<Result> {
  const { deletionId, system, signal } = request;
  const { deletion, declaration } = await stepOf(request, context);
  const result = (status: Result["status"]): Result => ({ deletionId, system, status });
  if (deletion.systems[system]?.done_at) return result("already-clean");
  if (!deletion.requiredSystems.includes(system)) return result("not-required");
  if (deletion.outcome || (await rowIsBack(context.db, declaration, deletion))) return result("row-is-back");

  const { source: row, rowId: id, requestedAt } = deletion;
  const idempotencyKey = `${keyOf(deletion)}:${system}`;
  try {
    const target = systemsOf(declaration).find(({ name }) => name === system);
    if (!target) throw new StepError("not configured where the task runs", { retryable: false });
    await withinAttempt((limit) => target.cleanUp({ row, id, requestedAt, idempotencyKey, signal: limit }), {
      signal,
    });
  } catch (thrown) {
    const error = shownOf(thrown);
    log("warn", "deletion.system_failed", { deletionId, system, error: error.message });
    await recordSystemFailed(context.db, deletionId, { system, error: error.message });
    throw error;
  }
  await recordSystemClean(context.db, deletionId, system);
  return result("clean");
}

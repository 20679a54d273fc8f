import * as z from "zod";
import type { DeletionDeclaration } from "../declare/declaration.ts";
import type { DeletedRow, ExternalSystem } from "../declare/external-system.ts";
import { EnvironmentError } from "../env/env.ts";
import { log } from "../log.ts";
import { codeOf, StepError, StillFoundError } from "./errors.ts";
import { dueAtOf, rowFor, systemsOf } from "./external-systems.ts";
import { recordSystemClean, recordSystemFailed } from "./ledger.ts";
import { type Obstacle, obstacleTo } from "./row-is-back.ts";
import { deletionIdSchema, type StepContext, type StepRequest, stepOf } from "./step.ts";
import { withinAttempt } from "./within-attempt.ts";

/** The payload of a run of clean-up-external-system. The ledger requires `system` by this name. */
export const cleanUpSchema = z.object({ deletionId: deletionIdSchema, system: z.string().min(1) });

type Result = {
  deletionId: string;
  system: string;
  status: "clean" | "already-clean" | "not-required" | "not-due" | Obstacle;
};

// A system may need time to finish what it has accepted.
const VERIFY_AGAIN_MS = 60_000;

function systemOf(declaration: DeletionDeclaration, name: string): ExternalSystem {
  const system = systemsOf(declaration).find((one) => one.name === name);
  if (!system) throw new StepError("not configured where the task runs", { retryable: false });
  return system;
}

/** Cleans a system, then verifies that it is clean if the system supports it. Each call has a minute. */
async function cleanAndVerify(
  system: ExternalSystem,
  row: DeletedRow,
  signal: AbortSignal,
): Promise<boolean> {
  await withinAttempt((limit) => system.cleanUp({ ...row, signal: limit }), { signal });
  if (!system.verify) return false;
  const answer = await withinAttempt(async (limit) => system.verify?.({ ...row, signal: limit }), { signal });
  if (answer?.found !== false)
    throw new StillFoundError("says that it is clean, and still has the row", {
      retryAt: new Date(Date.now() + VERIFY_AGAIN_MS),
    });
  return true;
}

/**
 * One attempt to clean one external system, unless the ledger says that it is clean, or something prevents it now.
 * Rejects with a StepError or EnvironmentError after recording it, or like {@link stepOf} and {@link obstacleTo}.
 */
export async function cleanUpSystem(
  request: StepRequest & { system: string },
  context: StepContext,
): Promise<Result> {
  const { deletionId, system: name, signal } = request;
  const { deletion, declaration } = await stepOf(request, context);
  const result = (status: Result["status"]): Result => ({ deletionId, system: name, status });
  if (deletion.systems[name]?.done_at) return result("already-clean");
  if (!deletion.requiredSystems.includes(name)) return result("not-required");
  const obstacle = await obstacleTo(context.db, declaration, deletion);
  if (obstacle) return result(obstacle);

  let verified: boolean;
  try {
    const system = systemOf(declaration, name);
    if (dueAtOf(system, deletion) > new Date()) return result("not-due");
    verified = await cleanAndVerify(system, rowFor(system, deletion), signal);
  } catch (thrown) {
    const isShown = thrown instanceof StepError || thrown instanceof EnvironmentError;
    const error = isShown ? thrown : new StepError(codeOf(thrown));
    log("warn", "deletion.system_failed", { deletionId, system: name, error: error.message });
    const timesFound =
      (deletion.systems[name]?.times_found ?? 0) + (error instanceof StillFoundError ? 1 : 0);
    await recordSystemFailed(context.db, deletionId, { system: name, error: error.message, timesFound });
    throw error;
  }
  await recordSystemClean(context.db, deletionId, { system: name, verified });
  return result("clean");
}

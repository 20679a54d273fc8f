import { z } from "zod";
import type { Database } from "../../drizzle/client.ts";
import { recordSystemClean, recordSystemFailed } from "../../drizzle/queries/user-deletions.ts";
import { database } from "../database.ts";
import { EnvironmentError } from "../env.ts";
import { log } from "../log.ts";
import { deletionOf } from "./deletion-of.ts";
import { codeOf, StepError, UnknownSystemError } from "./errors.ts";
import { externalSystems } from "./external-systems.ts";
import { withinAttempt } from "./within-attempt.ts";

/** What a run of clean-up-external-system is about: `system` is a name that the ledger requires. */
export const cleanUpSchema = z.object({ userId: z.guid(), system: z.string().min(1) });

type Request = z.infer<typeof cleanUpSchema> & { environment: string; signal: AbortSignal };
type Deps = { db?: Database; systems?: typeof externalSystems };

const toldOf = (error: unknown) =>
  error instanceof StepError || error instanceof EnvironmentError ? error : new StepError(codeOf(error));

/**
 * One attempt to clean one external system, unless the ledger says that it is clean.
 * Rejects with a StepError, UnknownSystemError or EnvironmentError after noting it in the ledger, or as
 * {@link deletionOf}.
 */
export async function cleanUpSystem(
  { userId, system, environment, signal }: Request,
  { db = database(), systems = externalSystems }: Deps = {},
): Promise<{ userId: string; system: string; status: "clean" | "already-clean" | "not-required" }> {
  const deletion = await deletionOf(db, { userId, environment });
  if (deletion.systems[system]?.done_at) return { userId, system, status: "already-clean" };
  if (!deletion.requiredSystems?.includes(system)) return { userId, system, status: "not-required" };

  const { requestedAt } = deletion;
  const idempotencyKey = `user-deletion:${userId}:${system}`;
  try {
    const target = systems().find(({ name }) => name === system);
    if (!target) throw new UnknownSystemError();
    await withinAttempt((limit) => target.cleanUp({ userId, requestedAt, idempotencyKey, signal: limit }), {
      signal,
    });
  } catch (thrown) {
    const error = toldOf(thrown);
    log("warn", "deletion.system_failed", { userId, system, error: error.message });
    await recordSystemFailed(db, userId, { system, error: error.message });
    throw error;
  }
  await recordSystemClean(db, userId, system);
  return { userId, system, status: "clean" };
}

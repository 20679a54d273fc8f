import { z } from "zod";
import { connect, type Database } from "../../drizzle/client.ts";
import { readDeletion, recordSystemClean, recordSystemFailed } from "../../drizzle/queries/user-deletions.ts";
import { required } from "../env.ts";
import { messageOf } from "../errors.ts";
import { log } from "../log.ts";
import { UnknownDeletionError, UnknownSystemError } from "./errors.ts";
import { externalSystems } from "./external-systems.ts";
import { withinAttempt } from "./within-attempt.ts";

/** What a run of clean-up-external-system is about: `system` is the name in the registry. */
export const cleanUpSchema = z.object({ userId: z.guid(), system: z.string().min(1) });

type Request = z.infer<typeof cleanUpSchema> & { signal: AbortSignal };
type Deps = { db?: Database; systems?: typeof externalSystems };

/**
 * One attempt to clean one external system, unless the ledger says that it is clean.
 * Rejects with what the system said, UnknownDeletionError, UnknownSystemError or EnvironmentError.
 */
export async function cleanUpSystem(
  { userId, system, signal }: Request,
  { db = connect(required("DATABASE_URL")), systems = externalSystems }: Deps = {},
): Promise<{ userId: string; system: string; status: "clean" | "already-clean" }> {
  const deletion = await readDeletion(db, userId);
  if (!deletion) throw new UnknownDeletionError(userId);
  if (deletion.systems[system]?.done_at) return { userId, system, status: "already-clean" };
  const target = systems().find(({ name }) => name === system);
  if (!target) throw new UnknownSystemError(system);

  const { requestedAt } = deletion;
  const idempotencyKey = `user-deletion:${userId}:${system}`;
  try {
    await withinAttempt((limit) => target.cleanUp({ userId, requestedAt, idempotencyKey, signal: limit }), {
      signal,
    });
  } catch (error) {
    log("warn", "deletion.system_failed", { userId, system, error: messageOf(error) });
    await recordSystemFailed(db, userId, { system, error: messageOf(error) });
    throw error;
  }
  await recordSystemClean(db, userId, system);
  return { userId, system, status: "clean" };
}

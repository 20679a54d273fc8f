import { z } from "zod";
import { connect, type Database } from "../../drizzle/client.ts";
import {
  readDeletion,
  recordCompleted,
  recordError,
  takeDeletion,
  type UserDeletion,
} from "../../drizzle/queries/user-deletions.ts";
import { required } from "../env.ts";
import { rootMessageOf } from "../errors.ts";
import { NotCleanError, UnknownDeletionError } from "./errors.ts";
import { externalSystems } from "./external-systems.ts";
import type { Confirmation } from "./send-confirmation.ts";

/** What a run about a deletion is told. All else is in the ledger: no personal data goes to Trigger.dev. */
export const deletionSchema = z.object({ userId: z.guid() });

/** How a deletion's steps are run: each as a run of its own, with its own attempts. */
export type DeletionSteps = {
  /** Cleans systems side by side and, when all have ended, says which failed for good and why. */
  cleanUp(systems: readonly string[]): Promise<{ system: string; error: string }[]>;
  confirm(): Promise<Confirmation>;
};

export type DeletionResult = {
  userId: string;
  systems: Record<string, "clean" | "already-clean">;
  confirmation: Confirmation;
};

type Deps = { db?: Database; systems?: typeof externalSystems };

const each = <T>(names: readonly string[], status: T) =>
  Object.fromEntries(names.map((name) => [name, status]));

const isDone = ({ systems }: UserDeletion, name: string) => systems[name]?.done_at !== undefined;

function completed({ userId, systems, confirmationSentAt }: UserDeletion): DeletionResult {
  const confirmation = confirmationSentAt ? "already-sent" : "no-address";
  return { userId, systems: each(Object.keys(systems), "already-clean" as const), confirmation };
}

/**
 * Does what the ledger says is left of a deletion: the systems that are not clean, and only after all of them the
 * confirmation.
 * Rejects with NotCleanError or as `steps.confirm` does, after noting it in the ledger; UnknownDeletionError when
 * there is no such deletion.
 */
export async function finishDeletion(
  { userId, runId }: { userId: string; runId: string },
  steps: DeletionSteps,
  { db = connect(required("DATABASE_URL")), systems = externalSystems }: Deps = {},
): Promise<DeletionResult> {
  const deletion = (await takeDeletion(db, userId, runId)) ?? (await readDeletion(db, userId));
  if (!deletion) throw new UnknownDeletionError(userId);
  if (deletion.completedAt) return completed(deletion);
  try {
    const names = systems().map(({ name }) => name);
    const done = names.filter((name) => isDone(deletion, name));
    const left = names.filter((name) => !isDone(deletion, name));
    const failures = left.length > 0 ? await steps.cleanUp(left) : [];
    if (failures.length > 0) throw new NotCleanError(failures);
    const confirmation = await confirm(deletion, steps);
    await recordCompleted(db, userId);
    return {
      userId,
      systems: { ...each(done, "already-clean" as const), ...each(left, "clean" as const) },
      confirmation,
    };
  } catch (error) {
    await recordError(db, userId, rootMessageOf(error));
    throw error;
  }
}

async function confirm(deletion: UserDeletion, steps: DeletionSteps): Promise<Confirmation> {
  if (deletion.confirmationSentAt) return "already-sent";
  return deletion.email === null ? "no-address" : steps.confirm();
}

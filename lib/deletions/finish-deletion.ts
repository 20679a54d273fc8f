import { z } from "zod";
import type { Database } from "../../drizzle/client.ts";
import {
  decideSystems,
  recordCompleted,
  recordError,
  type UserDeletion,
} from "../../drizzle/queries/user-deletions.ts";
import { database } from "../database.ts";
import { rootMessageOf } from "../errors.ts";
import { log } from "../log.ts";
import { statusOfRun } from "../runs/status-of-run.ts";
import { NotCleanError, NotCompletedError } from "./errors.ts";
import { externalSystems } from "./external-systems.ts";
import { type DeletionRun, holdDeletion } from "./hold-deletion.ts";
import type { Confirmation } from "./send-confirmation.ts";

/** What a run about a deletion is told. All else is in the ledger: no personal data goes to Trigger.dev. */
export const deletionSchema = z.object({ userId: z.guid() });

/** How a deletion's steps are run: each as a run of its own, with its own attempts. */
export type DeletionSteps = {
  /** Cleans systems side by side and, when all have ended, says which failed for good and why. */
  cleanUp(systems: readonly string[]): Promise<{ system: string; error: string }[]>;
  confirm(): Promise<Confirmation>;
};

export type DeletionResult =
  | {
      userId: string;
      status: "complete";
      systems: Record<string, "clean" | "already-clean">;
      confirmation: Confirmation;
    }
  /** Nothing was done: the run `holder` works on it. */
  | { userId: string; status: "under-way"; holder: string };

type Deps = { db?: Database; systems?: typeof externalSystems; statusOf?: typeof statusOfRun };

const each = <T>(names: readonly string[], status: T) =>
  Object.fromEntries(names.map((name) => [name, status]));

const isDone = ({ systems }: UserDeletion, name: string) => systems[name]?.done_at !== undefined;

function completed({ userId, requiredSystems, systems, confirmationSentAt }: UserDeletion): DeletionResult {
  const confirmation = confirmationSentAt ? "already-sent" : "no-address";
  const names = requiredSystems ?? Object.keys(systems);
  return { userId, status: "complete", systems: each(names, "already-clean" as const), confirmation };
}

/**
 * Does what the ledger says is left of a deletion: the systems that are not clean, and only after all of them the
 * confirmation.
 * Rejects with NotCleanError or as `steps.confirm` does, after noting it in the ledger; NotCompletedError; as
 * {@link holdDeletion} does.
 */
export async function finishDeletion(
  run: DeletionRun,
  steps: DeletionSteps,
  { db = database(), systems = externalSystems, statusOf = statusOfRun }: Deps = {},
): Promise<DeletionResult> {
  const { userId, runId } = run;
  const hold = await holdDeletion(run, { db, statusOf });
  if (hold.kind === "complete") return completed(hold.deletion);
  if (hold.kind === "under-way") {
    log("info", "deletion.under_way", { userId, holder: hold.holder });
    return { userId, status: "under-way", holder: hold.holder };
  }
  const { deletion } = hold;
  try {
    const names = deletion.requiredSystems ?? (await decide(db, userId, systems));
    const done = names.filter((name) => isDone(deletion, name));
    const left = names.filter((name) => !isDone(deletion, name));
    const failures = left.length > 0 ? await steps.cleanUp(left) : [];
    if (failures.length > 0) throw new NotCleanError(failures);
    const confirmation = await confirm(deletion, steps);
    if (!(await recordCompleted(db, userId, runId))) throw new NotCompletedError(userId);
    return {
      userId,
      status: "complete",
      systems: { ...each(done, "already-clean" as const), ...each(left, "clean" as const) },
      confirmation,
    };
  } catch (error) {
    await recordError(db, userId, { runId, error: rootMessageOf(error) });
    throw error;
  }
}

// Only an older version accepted deletions without deciding.
async function decide(db: Database, userId: string, systems: typeof externalSystems): Promise<string[]> {
  const names = systems().map(({ name }) => name);
  await decideSystems(db, userId, names);
  return names;
}

async function confirm(deletion: UserDeletion, steps: DeletionSteps): Promise<Confirmation> {
  if (deletion.confirmationSentAt) return "already-sent";
  return deletion.email === null ? "no-address" : steps.confirm();
}

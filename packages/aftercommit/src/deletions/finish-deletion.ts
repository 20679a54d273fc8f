import type { Database } from "../db/client.ts";
import type { DeletionDeclaration } from "../define.ts";
import { rootMessageOf } from "../errors.ts";
import { log } from "../log.ts";
import type { StatusOf } from "../runs/status-of-run.ts";
import { StepError } from "./errors.ts";
import { type DeletionRun, leaseDeletion } from "./lease-deletion.ts";
import { type Deletion, readDeletion, recordCompleted, recordError } from "./ledger.ts";
import { rowIsBack } from "./row-is-back.ts";
import type { Confirmation } from "./send-confirmation.ts";

/** How a deletion's steps are run: each as a run of its own, with its own attempts. What they did is in the ledger. */
export type DeletionSteps = {
  /** Cleans systems side by side and, when all have ended, says which failed and why. */
  cleanUp(systems: readonly string[]): Promise<{ system: string; error: string }[]>;
  /** Sends the confirmation. Rejects when it could not be sent. */
  confirm(): Promise<void>;
};

export type DeletionResult =
  | {
      deletionId: string;
      status: "complete";
      systems: Record<string, "clean" | "already-clean">;
      confirmation: Confirmation;
    }
  /** The row exists: nobody is notified any more. */
  | { deletionId: string; status: "row-is-back" }
  /** Nothing was done: the run `owner` works on it. */
  | { deletionId: string; status: "under-way"; owner: string };

type Context = {
  db: Database;
  declaration: DeletionDeclaration;
  stepsOf: (deletion: Deletion) => DeletionSteps;
  statusOf: StatusOf;
};

const isDone = ({ systems }: Deletion, name: string) => systems[name]?.done_at !== undefined;

function resultOf(deletion: Deletion, before = deletion): DeletionResult {
  const { id: deletionId, outcome, requiredSystems, confirmationSentAt } = deletion;
  if (outcome === "row_is_back") return { deletionId, status: "row-is-back" };
  const systems = requiredSystems.map((name) => [name, isDone(before, name) ? "already-clean" : "clean"]);
  const confirmation = before.confirmationSentAt
    ? "already-sent"
    : confirmationSentAt
      ? "sent"
      : "no-address";
  return { deletionId, status: "complete", systems: Object.fromEntries(systems), confirmation };
}

async function present(db: Database, { id }: Deletion): Promise<Deletion> {
  const deletion = await readDeletion(db, id);
  if (!deletion) throw new StepError(`Deletion ${id} is not recorded any more`, { retryable: false });
  return deletion;
}

/** Does what is left of a deletion, and resolves with it as it is then. It has ended. */
async function finish(deletion: Deletion, runId: string, context: Context): Promise<Deletion> {
  const { db, declaration, stepsOf } = context;
  const { id, requiredSystems } = deletion;
  const left = requiredSystems.filter((name) => !isDone(deletion, name));
  const hasBegun = left.length < requiredSystems.length || deletion.confirmationSentAt !== null;
  const isFinished = left.length === 0 && deletion.email === null && hasBegun;
  if (!isFinished && (await rowIsBack(db, declaration, deletion))) return present(db, deletion);

  const steps = stepsOf(deletion);
  const failures = left.length > 0 ? await steps.cleanUp(left) : [];
  const cleaned = await present(db, deletion);
  if (cleaned.outcome === "row_is_back") return cleaned;
  if (failures.length > 0) {
    const reasons = failures.map(({ system, error }) => `${system} (${error})`);
    throw new StepError(`Not clean: ${reasons.join(", ")}`, { retryable: false });
  }
  if (cleaned.email !== null) await steps.confirm();

  const completed = await recordCompleted(db, id, runId);
  const ended = await present(db, deletion);
  // Another run took it, or a system is not clean after all.
  if (!completed && ended.outcome !== "row_is_back")
    throw new StepError(`The ledger does not agree that deletion ${id} is complete`);
  return ended;
}

/**
 * Does what the ledger says is left of a deletion: the systems that are not clean, and only after all of them the
 * confirmation; nothing from the moment that the row exists again.
 * Rejects with StepError or as `confirm` does, after recording it, and as {@link leaseDeletion} does.
 */
export async function finishDeletion(run: DeletionRun, context: Context): Promise<DeletionResult> {
  const { deletionId, runId } = run;
  const lease = await leaseDeletion(run, context);
  if (lease.kind === "ended") return resultOf(lease.deletion);
  if (lease.kind === "under-way") {
    log("info", "deletion.under_way", { deletionId, owner: lease.owner });
    return { deletionId, status: "under-way", owner: lease.owner };
  }
  try {
    return resultOf(await finish(lease.deletion, runId, context), lease.deletion);
  } catch (error) {
    await recordError(context.db, deletionId, { runId, error: rootMessageOf(error) });
    throw error;
  }
}

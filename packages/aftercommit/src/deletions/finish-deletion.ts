import type { Database } from "../db/client.ts";
import type { DeletionDeclaration } from "../declare/declaration.ts";
import { rootMessageOf } from "../errors.ts";
import { log } from "../log.ts";
import type { StatusOf } from "../runs/status-of-run.ts";
import { StepError } from "./errors.ts";
import { dueAtOf, systemsOf } from "./external-systems.ts";
import { type DeletionRun, leaseDeletion } from "./lease-deletion.ts";
import { type Deletion, readDeletion, recordCompleted, recordError, recordNextAt } from "./ledger.ts";
import { obstacleTo } from "./row-is-back.ts";
import type { Confirmation } from "./send-confirmation.ts";

/** How a deletion's steps run: each in its own run, with its own attempts. The ledger records what they did. */
export type DeletionSteps = {
  /** Cleans systems in parallel and, when all have ended, reports which failed and why. */
  cleanUp(systems: readonly string[]): Promise<{ system: string; error: string }[]>;
  /** Sends the confirmation. Rejects if it could not be sent. */
  confirm(): Promise<void>;
};

export type DeletionResult =
  | {
      deletionId: string;
      status: "complete";
      systems: Record<string, "clean" | "already-clean">;
      confirmation: Confirmation;
    }
  /** The row exists: no more systems are notified. */
  | { deletionId: string; status: "row-is-back" }
  /** The row is on hold: the deletion stays open until it is released. */
  | { deletionId: string; status: "held" }
  /** The remaining systems have a grace period. `until` is ISO 8601. */
  | { deletionId: string; status: "waiting"; until: string }
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

/** The systems that are not clean: those to call now, and when the first of the others is due. */
function leftOf(
  deletion: Deletion,
  declaration: DeletionDeclaration,
): { due: string[]; next: Date | undefined } {
  const left = deletion.requiredSystems.filter((name) => !isDone(deletion, name));
  const configured = new Map(systemsOf(declaration).map((system) => [system.name, system]));
  // A system that is not configured here is tried, and fails with a message that says so.
  const dueAt = (name: string) => dueAtOf(configured.get(name) ?? {}, deletion);
  const now = new Date();
  const [next] = left
    .map(dueAt)
    .filter((at) => at > now)
    .toSorted((a, b) => a.getTime() - b.getTime());
  return { due: left.filter((name) => dueAt(name) <= now), next };
}

/** Does what is left of a deletion. */
async function finish(deletion: Deletion, runId: string, context: Context): Promise<DeletionResult> {
  const { db, declaration, stepsOf } = context;
  const { id, requiredSystems } = deletion;
  const clean = requiredSystems.filter((name) => isDone(deletion, name));
  const hasBegun = clean.length > 0 || deletion.confirmationSentAt !== null;
  const isFinished = clean.length === requiredSystems.length && deletion.email === null && hasBegun;
  const obstacle = isFinished ? undefined : await obstacleTo(db, declaration, deletion);
  if (obstacle) return { deletionId: id, status: obstacle };

  const steps = stepsOf(deletion);
  const { due, next } = leftOf(deletion, declaration);
  const failures = due.length > 0 ? await steps.cleanUp(due) : [];
  const cleaned = await present(db, deletion);
  if (cleaned.outcome === "row_is_back") return resultOf(cleaned);
  if (failures.length > 0) {
    const reasons = failures.map(({ system, error }) => `${system} (${error})`);
    throw new StepError(`Not clean: ${reasons.join(", ")}`, { retryable: false });
  }
  if (!isFinished && cleaned.isHeld) return { deletionId: id, status: "held" };
  if (next) {
    await recordNextAt(db, id, { runId, at: next });
    return { deletionId: id, status: "waiting", until: next.toISOString() };
  }
  if (cleaned.email !== null) await steps.confirm();

  const completed = await recordCompleted(db, id, runId);
  const ended = await present(db, deletion);
  if (completed || ended.outcome === "row_is_back") return resultOf(ended, deletion);
  if (ended.isHeld) return { deletionId: id, status: "held" };
  // Another run took it, a hold came and went, or a system is not clean after all.
  throw new StepError(`The ledger does not agree that deletion ${id} is complete`);
}

/**
 * Does what the ledger says is left of a deletion: cleans the systems that are not clean, then sends the confirmation.
 * Does nothing once the row exists again, or while it is on hold. Rejects with StepError or like `confirm`, after
 * recording it, and like {@link leaseDeletion}.
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
    return await finish(lease.deletion, runId, context);
  } catch (error) {
    await recordError(context.db, deletionId, { runId, error: rootMessageOf(error) });
    throw error;
  }
}

import type { Database } from "../db/client.ts";
import { type Deletion, findRecentDeletions } from "../deletions/ledger.ts";
import { runUrl } from "../runs/run-url.ts";

const SHOWN = 6;

/** One external system of a deletion, or its confirmation: whether it is done, and what last failed. */
export type Step = {
  name: string;
  state: "done" | "failed" | "waiting" | "skipped";
  at: Date | undefined;
  error: string | undefined;
};

/** A deletion with its steps, as a page shows it. */
export type DeletionOnPage = Pick<
  Deletion,
  "id" | "source" | "rowId" | "requestedAt" | "completedAt" | "outcome" | "lastError"
> & {
  steps: Step[];
  run: { id: string; url: string | undefined } | undefined;
};

const step = (name: string, state: Step["state"], details: { at?: Date; error?: string } = {}): Step => ({
  name,
  state,
  at: details.at,
  error: details.error,
});

const notTaken = (name: string, outcome: Deletion["outcome"]): Step =>
  outcome === "row_is_back" ? step(name, "skipped", { error: "the row is back" }) : step(name, "waiting");

function systemSteps({ requiredSystems, systems, outcome }: Deletion): Step[] {
  return requiredSystems.map((name) => {
    const { done_at, failed_at, error } = systems[name] ?? {};
    if (done_at) return step(name, "done", { at: new Date(done_at) });
    if (failed_at) return step(name, "failed", { at: new Date(failed_at), error });
    return notTaken(name, outcome);
  });
}

function confirmationStep(deletion: Deletion): Step {
  const { confirmationSentAt, confirmationRefusedAt, outcome, lastError } = deletion;
  const name = "e-mail";
  if (confirmationSentAt) return step(name, "done", { at: confirmationSentAt });
  if (outcome === "completed") return step(name, "skipped", { error: "no address was known" });
  if (confirmationRefusedAt && !outcome)
    return step(name, "failed", { at: confirmationRefusedAt, error: lastError ?? "the address was refused" });
  return notTaken(name, outcome);
}

/** The last deletions with all their steps, newest first, without addresses. */
export async function deletionsOnPage(db: Database): Promise<DeletionOnPage[]> {
  const deletions = await findRecentDeletions(db, SHOWN);
  return deletions.map((deletion) => {
    const { id, source, rowId, requestedAt, completedAt, outcome, lastError, runId } = deletion;
    const steps = [...systemSteps(deletion), confirmationStep(deletion)];
    const run = runId === null ? undefined : { id: runId, url: runUrl(runId) };
    return { id, source, rowId, requestedAt, completedAt, outcome, lastError, steps, run };
  });
}

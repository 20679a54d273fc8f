import type { Database } from "../../drizzle/client.ts";
import { findRecentDeletions } from "../../drizzle/queries/recent-deletions.ts";
import { runUrl } from "../runs/run-url.ts";

const SHOWN = 6;

export type Step = {
  name: string;
  state: "done" | "failed" | "waiting" | "skipped";
  at: Date | undefined;
  error: string | undefined;
};

export type DeletionOnPage = {
  userId: string;
  requestedAt: Date;
  completedAt: Date | null;
  lastError: string | null;
  steps: Step[];
  run: { id: string; url: string | undefined } | undefined;
};

type Deletion = Awaited<ReturnType<typeof findRecentDeletions>>[number];

function systemSteps({ requiredSystems, systems }: Deletion): Step[] {
  return (requiredSystems ?? Object.keys(systems)).map((name) => {
    const { done_at, failed_at, error } = systems[name] ?? {};
    if (done_at) return { name, state: "done", at: new Date(done_at), error: undefined };
    if (failed_at) return { name, state: "failed", at: new Date(failed_at), error };
    return { name, state: "waiting", at: undefined, error: undefined };
  });
}

function confirmationStep({ confirmationSentAt, confirmationRefusedAt, completedAt }: Deletion): Step {
  const name = "e-mail";
  if (confirmationSentAt) return { name, state: "done", at: confirmationSentAt, error: undefined };
  if (completedAt) return { name, state: "skipped", at: undefined, error: "no address was known" };
  if (confirmationRefusedAt)
    return { name, state: "failed", at: confirmationRefusedAt, error: "the mail server refuses the address" };
  return { name, state: "waiting", at: undefined, error: undefined };
}

/** The last deletions with all their steps, the newest first. No addresses: the ledger forgets them, too. */
export async function deletionsOnPage(db: Database): Promise<DeletionOnPage[]> {
  const deletions = await findRecentDeletions(db, SHOWN);
  return deletions.map((deletion) => {
    const { userId, requestedAt, completedAt, lastError, runId } = deletion;
    const steps = [...systemSteps(deletion), confirmationStep(deletion)];
    const run = runId === null ? undefined : { id: runId, url: runUrl(runId) };
    return { userId, requestedAt, completedAt, lastError, steps, run };
  });
}

import { classifyError } from "../providers/classify-error.ts";

/** Ten attempts of a run that embeds, with growing pauses. The inbox keeps the rows whatever happens to the run. */
export const EMBEDDING_RETRY = {
  maxAttempts: 10,
  factor: 2,
  minTimeoutInMs: 1_000,
  maxTimeoutInMs: 60_000,
  randomize: true,
  // A killed process counts as out of memory, and gets another attempt only with a machine set here.
  outOfMemory: { machine: "small-2x" as const },
};

/** What Trigger.dev does after a failed attempt. */
export async function afterError({ error }: { error: unknown }) {
  const verdict = classifyError(error, new Date());
  if (verdict.kind === "abort") return { skipRetrying: true };
  return verdict.kind === "retryAt" ? { retryAt: verdict.at } : undefined;
}

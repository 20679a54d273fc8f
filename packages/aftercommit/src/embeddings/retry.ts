import { classifyError } from "../providers/classify-error.ts";

/** Ten attempts of a run that embeds, with growing pauses. The inbox has the rows whatever becomes of the run. */
export const EMBEDDING_RETRY = {
  maxAttempts: 10,
  factor: 2,
  minTimeoutInMs: 1_000,
  maxTimeoutInMs: 60_000,
  randomize: true,
  // A process that is killed is taken for one out of memory, and has no other attempt without a machine for it.
  outOfMemory: { machine: "small-2x" as const },
};

/** What Trigger.dev is to do after a failed attempt. */
export async function afterError({ error }: { error: unknown }) {
  const verdict = classifyError(error, new Date());
  if (verdict.kind === "abort") return { skipRetrying: true };
  return verdict.kind === "retryAt" ? { retryAt: verdict.at } : undefined;
}

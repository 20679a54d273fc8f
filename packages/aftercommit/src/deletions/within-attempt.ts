import { StepError } from "./errors.ts";

const ATTEMPT_MS = 60_000;

/**
 * Limits one attempt of a step to a minute. Trigger.dev's own maxDuration would end the run instead of the attempt.
 * Rejects when the minute is over or `signal` is aborted, whatever the work does about it.
 */
export async function withinAttempt<T>(
  work: (signal: AbortSignal) => Promise<T>,
  { signal, milliseconds = ATTEMPT_MS }: { signal: AbortSignal; milliseconds?: number },
): Promise<T> {
  const timeout = AbortSignal.timeout(milliseconds);
  const limit = AbortSignal.any([signal, timeout]);
  const aborted = new Promise<never>((_, reject) => {
    const end = () =>
      reject(
        new StepError(timeout.aborted ? `not done in ${milliseconds / 1000} s` : "the run was cancelled"),
      );
    if (limit.aborted) end();
    else limit.addEventListener("abort", end, { once: true });
  });
  return Promise.race([aborted, work(limit)]);
}

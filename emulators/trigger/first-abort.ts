/**
 * Aborts with the first of the given signals. Unlike AbortSignal.any it can be released, so that a signal that lives as
 * long as the server does not collect a listener for every request.
 */
export function firstAbort(...signals: AbortSignal[]): { signal: AbortSignal; release(): void } {
  const controller = new AbortController();
  const abort = () => controller.abort();
  for (const signal of signals) {
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort);
  }
  return {
    signal: controller.signal,
    release() {
      for (const signal of signals) signal.removeEventListener("abort", abort);
    },
  };
}

import { withDeadline } from "./with-deadline.ts";

// Longer than any part of the work may take.
const LIMIT_MS = 15_000;

/**
 * Shares the result of `work` for as long as `freshMs` returns for it, and shares a running call among all callers. A
 * failure is shared only with those callers. Work that hangs is abandoned after 15 s, and the next caller starts it
 * again.
 */
export function memoizeFor<T>(work: () => Promise<T>, freshMs: (tookMs: number) => number): () => Promise<T> {
  let shared: Promise<T> | undefined;
  let until = 0;
  return () => {
    if (shared && Date.now() < until) return shared;
    const startedAt = Date.now();
    const result = withDeadline(work, startedAt + LIMIT_MS);
    shared = result;
    until = Number.POSITIVE_INFINITY;
    result.then(
      () => {
        const now = Date.now();
        until = now + freshMs(now - startedAt);
      },
      () => {
        until = 0;
      },
    );
    return result;
  };
}

import { withDeadline } from "./with-deadline.ts";

// Longer than each part of it may take.
const LIMIT_MS = 15_000;

/**
 * Shares the result of `work` for as long as `freshMs` says of it, and one call of it between all who ask meanwhile.
 * A failure is shared only with those. Work that hangs is given up after 15 s, and the next who asks begins anew.
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

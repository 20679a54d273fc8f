import type { Limits } from "./provider.ts";

/**
 * Rates passages by how well they answer a query. Resolves with one score from 0 to 1 per passage, in order; whoever
 * cannot rejects. `signal` aborts when the search has no time left.
 */
export type Reranker = ((
  query: string,
  passages: readonly string[],
  options: { signal: AbortSignal },
) => Promise<readonly number[]>) & {
  /** What all processes together may request; by default, as much as they like. */
  limits?: Limits;
};

// How much meaning counts in a hybrid search, from 0 to 1; words count for the rest. These two are estimates: only the
// local model has been measured here. Measure yours with `npm run tune-search`.
const WEIGHTS: Readonly<Record<string, number>> = {
  "text-embedding-3-small": 0.4,
  "text-embedding-3-large": 0.5,
};

// A weak model does no harm with so little, and a row that shares no word with the query is still found.
const OF_UNKNOWN = 0.2;

/** The weight of a declaration, or the default of its model. */
export const meaningWeight = (declared: number | undefined, model: string): number =>
  declared ?? WEIGHTS[model] ?? OF_UNKNOWN;

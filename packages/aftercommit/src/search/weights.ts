import type { EmbeddingDeclaration } from "../declare/declaration.ts";

type OfMeaning = {
  /** How much meaning counts in a hybrid search, from 0 to 1; words count for the rest. */
  weight: number;
  /** The least score by meaning with which a row is found if no row has a word of the query. */
  minScore: number;
};

// Estimates: only the local model has been measured here. Measure yours with `npm run tune-search`.
const KNOWN: Readonly<Record<string, OfMeaning>> = {
  "text-embedding-3-small": { weight: 0.4, minScore: 0.3 },
  "text-embedding-3-large": { weight: 0.5, minScore: 0.3 },
};

// A weak model does no harm with so little weight, and a row that shares no word with the query is still found.
const UNKNOWN: OfMeaning = { weight: 0.2, minScore: 0 };

/** How scores by meaning are used: as declared, or as is known of the model. */
export function ofMeaning({ meaningWeight, minScore }: EmbeddingDeclaration, model: string): OfMeaning {
  const known = KNOWN[model] ?? UNKNOWN;
  return { weight: meaningWeight ?? known.weight, minScore: minScore ?? known.minScore };
}

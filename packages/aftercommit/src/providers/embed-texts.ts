import {
  type Answer,
  EmbeddingShapeError,
  type Outcome,
  type Provider,
  type Purpose,
} from "../declare/provider.ts";

/** A model as its provider knows it. `dimensions` is undefined if any width will do. */
export type ProviderModel = { name: string; dimensions: number | undefined; dimensionsAsked: boolean };

// The largest value in half precision, and the largest that it rounds to 0.
const MOST = 65_504;
const NEARLY_ZERO = 2 ** -25;

/** What is wrong with a vector. The cosine distance of a zero vector is NaN. */
function problemOf(vector: Float32Array, { name, dimensions }: ProviderModel): string | undefined {
  if (dimensions !== undefined && vector.length !== dimensions)
    return `${name} answered a vector of ${vector.length} numbers, and is registered with ${dimensions}`;
  const largest = vector.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  if (Number.isNaN(largest)) return "the provider answered a vector with NaN";
  if (largest <= NEARLY_ZERO) return "the provider answered a zero vector";
  return largest <= MOST ? undefined : `the provider answered a value over ${MOST}`;
}

/**
 * Embeds texts with one request, each with the provider's prefix: returns a vector for each text, or why it has none.
 * Rejects like the provider, and with EmbeddingShapeError if no vector at all can be used.
 */
export async function embedTexts(
  provider: Provider,
  model: ProviderModel,
  texts: readonly string[],
  { purpose, timeoutMs = provider.timeoutMs }: { purpose: Purpose; timeoutMs?: number | undefined },
): Promise<Omit<Answer, "vectors"> & { outcomes: Outcome[] }> {
  const { name, dimensions, dimensionsAsked } = model;
  const { vectors, ...answer } = await provider.embed({
    model: name,
    dimensions: dimensionsAsked ? dimensions : undefined,
    texts: texts.map((text) => provider.prefixes[purpose] + text),
    purpose,
    timeoutMs,
  });
  if (vectors.length !== texts.length)
    throw new EmbeddingShapeError(`${name} answered ${vectors.length} vectors for ${texts.length} texts`);
  const outcomes = vectors.map((vector): Outcome => {
    const failed = problemOf(vector, model);
    return failed === undefined ? { vector } : { failed };
  });
  const [first] = outcomes;
  if (first && "failed" in first && outcomes.every((outcome) => "failed" in outcome)) {
    const isOfModel = dimensions !== undefined && vectors.every(({ length }) => length !== dimensions);
    const command = isOfModel ? `npx aftercommit reembed --model ${name}` : undefined;
    throw new EmbeddingShapeError(first.failed, { command, outcomes });
  }
  return { ...answer, outcomes };
}

import { type Model, ModelError } from "./models.ts";

// pgvector's limits for an HNSW index.
const MOST_OF_HALFVEC = 4_000;
const MOST_OF_VECTOR = 2_000;

/**
 * The type that the index of a new model casts its vectors to: `preferred`, if such an index takes them.
 * @throws {ModelError} if no index takes vectors as wide; `remedy` says how to ask for fewer dimensions
 */
export function indexTypeOf(
  { name, dimensions }: Pick<Model, "name" | "dimensions">,
  { preferred, remedy }: { preferred: Model["indexType"]; remedy: string },
): Model["indexType"] {
  if (dimensions > MOST_OF_HALFVEC)
    throw new ModelError(
      `${name} makes vectors of ${dimensions} dimensions, and an index takes ${MOST_OF_HALFVEC}: ${remedy}, or choose another model`,
    );
  return dimensions > MOST_OF_VECTOR ? "halfvec" : preferred;
}

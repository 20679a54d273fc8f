/** Scales a vector to length 1, in place. A zero vector becomes the first axis, so that cosines exist. */
export function toUnitLength(vector: Float32Array): Float32Array {
  const length = Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0));
  if (length === 0) {
    vector[0] = 1;
    return vector;
  }
  for (let index = 0; index < vector.length; index += 1) vector[index] = (vector[index] ?? 0) / length;
  return vector;
}

/**
 * Gives a unit vector another number of dimensions. More: adds zeros, so every cosine stays the same. Fewer: takes the
 * first ones, scaled to length 1 again, as OpenAI does
 * (https://platform.openai.com/docs/guides/embeddings#reducing-embedding-dimensions).
 */
export function resize(vector: Float32Array, dimensions: number): Float32Array {
  const resized = new Float32Array(dimensions);
  resized.set(vector.subarray(0, dimensions));
  return dimensions < vector.length ? toUnitLength(resized) : resized;
}

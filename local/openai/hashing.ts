import { toUnitLength } from "./unit-length.ts";

const DIMENSIONS = 1_536;
const WORD = /[\p{L}\p{N}]+/gu;

/**
 * Embeds by feature hashing of lower-cased words and pairs of words (Weinberger et al.,
 * https://arxiv.org/abs/0902.2206): 1,536 dimensions, unit length, the same vector for the same text everywhere.
 * Texts are near when they share words; meaning plays no part.
 */
export function embedByHashing(text: string): Float32Array {
  const vector = new Float32Array(DIMENSIONS);
  let previous: string | undefined;
  for (const [word] of text.toLowerCase().matchAll(WORD)) {
    addFeature(vector, word);
    if (previous !== undefined) addFeature(vector, `${previous} ${word}`);
    previous = word;
  }
  if (previous === undefined) addFeature(vector, text);
  return toUnitLength(vector);
}

function addFeature(vector: Float32Array, feature: string): void {
  const hash = fnv1a(feature);
  const index = (hash >>> 1) % DIMENSIONS;
  vector[index] = (vector[index] ?? 0) + (hash & 1 ? 1 : -1);
}

function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  // FNV mixes its low bits poorly; this is the finalizer of MurmurHash3.
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

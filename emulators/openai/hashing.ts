import { toUnitLength } from "./unit-length.ts";

const DIMENSIONS = 1_536;
const WORD = /[\p{L}\p{N}]+/gu;
const EMPTY = 0x811c9dc5;

/**
 * Embeds by feature hashing of lowercase words and pairs of words (Weinberger et al., https://arxiv.org/abs/0902.2206):
 * 1,536 dimensions, unit length, the same vector for the same text everywhere. Texts are close if they share words;
 * meaning does not matter.
 */
export function embedByHashing(text: string): Float32Array {
  const vector = new Float32Array(DIMENSIONS);
  let previous: number | undefined;
  for (const word of text.toLowerCase().match(WORD) ?? []) {
    const hash = fnv1a(word, EMPTY);
    addFeature(vector, hash);
    // The hash of "previous word" continues from the hash of "previous".
    if (previous !== undefined) addFeature(vector, fnv1a(word, fnv1a(" ", previous)));
    previous = hash;
  }
  if (previous === undefined) addFeature(vector, fnv1a(text, EMPTY));
  return toUnitLength(vector);
}

function addFeature(vector: Float32Array, fnv: number): void {
  const hash = mixed(fnv);
  const index = (hash >>> 1) % DIMENSIONS;
  vector[index] = (vector[index] ?? 0) + (hash & 1 ? 1 : -1);
}

function fnv1a(text: string, from: number): number {
  let hash = from;
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  return hash;
}

/** FNV mixes its low bits poorly; this is the finalizer of MurmurHash3. */
function mixed(fnv: number): number {
  let hash = Math.imul(fnv ^ (fnv >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

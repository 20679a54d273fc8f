import { countTokens, type PlacedChunk, split } from "./split.ts";

const MOST_TITLE_CHARS = 200;

/** A chunk of a row's text, and what is embedded for it: with the row's title, so that it says what it is about. */
export type Passage = Omit<PlacedChunk, "text"> & { input: string };

/**
 * What a row's text is embedded as: chunks of at most `maxTokens` tokens, each with the row's title before it, but for
 * the first, which starts with it. `start` and `length` are those of the chunk in the text.
 */
export function passages(
  text: string,
  { title, maxTokens }: { title: string; maxTokens: number },
): Passage[] {
  // By code points: half of a surrogate pair would be a broken character.
  const heading = [...title.trim()].slice(0, MOST_TITLE_CHARS).join("");
  const extra = heading && countTokens(`${heading}\n\n`);
  return split(text, maxTokens).map(({ text: chunk, tokens, start, length }) =>
    start === 0 || !extra
      ? { input: chunk, tokens, start, length }
      : { input: `${heading}\n\n${chunk}`, tokens: tokens + extra, start, length },
  );
}

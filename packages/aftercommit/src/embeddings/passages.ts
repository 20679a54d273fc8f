import { type CountTokens, countTokens } from "./count-tokens.ts";
import { type PlacedChunk, split } from "./split.ts";

// The least that a chunk gets next to its title, whatever the model's limit.
const LEAST_CHUNK_TOKENS = 16;

/** A chunk of a row's text, and its input for the model: with the row's title, so that it says what it is about. */
export type Passage = Omit<PlacedChunk, "text"> & { input: string };

export type PassageOptions = {
  title: string;
  /** The declared size of a chunk. */
  maxTokens: number;
  /** The model's limit, including title and prefix. Default: none. */
  maxInputTokens?: number;
  /** What the provider puts before each passage. */
  prefix?: string;
  count?: CountTokens;
};

/**
 * The inputs for a row's text: chunks of at most `maxTokens` tokens, each with the row's title in front, except the
 * first, which starts with it. `start` and `length` are the chunk's place in the text.
 */
export function passages(
  text: string,
  {
    title,
    maxTokens,
    maxInputTokens = Number.POSITIVE_INFINITY,
    prefix = "",
    count = countTokens,
  }: PassageOptions,
): Passage[] {
  const heading = title.trim();
  const ofPrefix = prefix && count(prefix);
  const extra = heading && count(`${heading}\n\n`);
  const room = maxInputTokens - Number(ofPrefix);
  // Without a title that leaves too little room for the text.
  const isTitled = Boolean(extra) && Number(extra) <= room / 2;
  const most = Math.max(LEAST_CHUNK_TOKENS, Math.min(maxTokens, isTitled ? room - Number(extra) : room));
  return split(text, most, count).map(({ text: chunk, tokens, start, length }) => {
    const counted = tokens + Number(ofPrefix);
    return start === 0 || !isTitled
      ? { input: chunk, tokens: counted, start, length }
      : { input: `${heading}\n\n${chunk}`, tokens: counted + Number(extra), start, length };
  });
}

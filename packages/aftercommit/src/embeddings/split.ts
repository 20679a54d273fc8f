import { type CountTokens, countTokens } from "./count-tokens.ts";

// Longer pieces are cut before counting, because the tokenizer's time grows with the square of an unbroken run of
// letters.
const MAX_PIECE_LENGTH = 1_000;

type TextChunk = { text: string; tokens: number };

// From the coarsest boundary to the finest: paragraph, sentence, word. A blank line stays with the text before it, a
// space with the word after it, as in the tokens. Each pattern takes linear time, even in a run of white space.
const BOUNDARIES = [/(?=\S)(?<=\n\s*\n\s*)/, /(?=\s)(?<=[.!?])|(?<=[。！？])/, /(?=\s)(?<=\S)/];

function inHalves(text: string): string[] {
  let middle = Math.ceil(text.length / 2);
  // Cutting inside a surrogate pair would make two broken characters.
  if (/[\uD800-\uDBFF]/.test(text[middle - 1] ?? "")) middle += 1;
  return middle >= text.length ? [text] : [text.slice(0, middle), text.slice(middle)];
}

/** Joins short parts, so that there are few to count: a text may have a boundary at every other letter. */
function joinShortParts(parts: string[]): string[] {
  const joined: string[] = [];
  let open = "";
  for (const part of parts) {
    if (open && open.length + part.length > MAX_PIECE_LENGTH / 4) {
      joined.push(open);
      open = part;
    } else open += part;
  }
  return [...joined, open];
}

/** Joins pieces that were cut only to be counted, and that fit into one chunk. */
function joinWhatFits(cut: TextChunk[], maxTokens: number): TextChunk[] {
  const tokens = cut.reduce((sum, piece) => sum + piece.tokens, 0);
  return tokens <= maxTokens ? [{ text: cut.map((piece) => piece.text).join(""), tokens }] : cut;
}

type Size = { maxTokens: number; count: CountTokens };

function pieces(text: string, size: Size, boundaries: RegExp[] = BOUNDARIES): TextChunk[] {
  const { maxTokens, count } = size;
  const tokens = text.length <= MAX_PIECE_LENGTH ? count(text) : Number.POSITIVE_INFINITY;
  if (tokens <= maxTokens) return [{ text, tokens }];
  const [boundary, ...finer] = boundaries;
  const parts = boundary ? joinShortParts(text.split(boundary)) : inHalves(text);
  if (!boundary && parts.length === 1) return [{ text, tokens }];
  return parts.flatMap((part) => joinWhatFits(pieces(part, size, finer), maxTokens));
}

/** A chunk of a text. `start` and `length` count characters as Postgres does (code points). */
export type PlacedChunk = TextChunk & { start: number; length: number };

// Counts code points without an array of them.
function lengthOf(text: string): number {
  let surrogates = 0;
  for (let index = 0; index < text.length; index += 1)
    if ((text.charCodeAt(index) & 0xfc00) === 0xd800 && (text.charCodeAt(index + 1) & 0xfc00) === 0xdc00)
      surrogates += 1;
  return text.length - surrogates;
}

function placed(chunks: TextChunk[]): PlacedChunk[] {
  let start = 0;
  return chunks.map((chunk) => {
    const length = lengthOf(chunk.text);
    start += length;
    return { ...chunk, start: start - length, length };
  });
}

/**
 * Splits a text into chunks of at most `maxTokens` tokens, at paragraphs, sentences or words if possible. The chunks
 * joined are the text, except that chunks of only white space are left out. Equal texts give equal chunks.
 */
export function split(text: string, maxTokens: number, count: CountTokens = countTokens): PlacedChunk[] {
  const chunks: TextChunk[] = [];
  let open: TextChunk = { text: "", tokens: 0 };
  for (const piece of pieces(text, { maxTokens, count })) {
    if (open.text && open.tokens + piece.tokens > maxTokens) {
      chunks.push(open);
      open = piece;
    } else open = { text: open.text + piece.text, tokens: open.tokens + piece.tokens };
  }
  return placed([...chunks, open]).filter((chunk) => /\S/.test(chunk.text));
}

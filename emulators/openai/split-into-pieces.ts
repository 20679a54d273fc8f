/** A part of a text and its length in the model's tokens. */
export type Piece = { text: string; tokens: number };

const LONGEST_WORD = 64;
const WORD = new RegExp(`\\S{1,${LONGEST_WORD}}`, "gu");

/**
 * Splits a text at white space into pieces of at most `maxTokens` and of about equal length. `tokensOf` gets one word
 * at a time, because the model's tokenizer takes quadratic time; words of more than 64 characters are cut. White space
 * within a piece becomes one space.
 */
export function splitIntoPieces(
  text: string,
  maxTokens: number,
  tokensOf: (word: string) => number,
): Piece[] {
  const words = Array.from(text.normalize("NFKC").matchAll(WORD), ([word]) => ({
    text: word,
    tokens: tokensOf(word),
  }));
  const total = words.reduce((sum, word) => sum + word.tokens, 0);
  const fairShare = total / Math.ceil(total / maxTokens);
  const pieces: Piece[] = [];
  let piece: Piece | undefined;
  for (const word of words) {
    if (piece === undefined || piece.tokens >= fairShare || piece.tokens + word.tokens > maxTokens) {
      piece = { ...word };
      pieces.push(piece);
    } else {
      piece.text += ` ${word.text}`;
      piece.tokens += word.tokens;
    }
  }
  return pieces;
}

import { indexedLexemes } from "./compounds.ts";
import { type Lexicon, PLAIN, quotedLexeme, wordsOf } from "./lexemes.ts";

// A word of the title counts as often again as this.
const TITLE_COPIES = 2;
// Postgres keeps no more positions of one word, and none after this one.
const MOST_POSITIONS = 255;
const LAST_POSITION = 16_383;

/** What is indexed of a passage: its words and those of its row's title, as a tsvector in text form, and how many. */
export function wordVector(
  { passage, title }: { passage: string; title: string },
  lexicon: Lexicon = PLAIN,
): { vector: string; size: number } {
  const ofTitle = wordsOf(title, lexicon);
  const words = [...Array.from({ length: TITLE_COPIES }, () => ofTitle).flat(), ...wordsOf(passage, lexicon)];
  const positions = new Map<string, number[]>();
  for (const [index, word] of words.entries())
    for (const lexeme of indexedLexemes(word, lexicon)) {
      const known = positions.get(lexeme);
      const position = index < LAST_POSITION ? [index + 1] : [];
      if (known === undefined) positions.set(lexeme, position);
      else if (known.length < MOST_POSITIONS) known.push(...position);
    }
  const vector = [...positions].map(([lexeme, at]) =>
    at.length > 0 ? `${quotedLexeme(lexeme)}:${at.join(",")}` : quotedLexeme(lexeme),
  );
  return { vector: vector.join(" "), size: words.length };
}

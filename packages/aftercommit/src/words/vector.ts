import { wordsOf } from "./lexemes.ts";

// A word of the title counts as often again as this.
const TITLE_COPIES = 2;
// Postgres keeps no more positions of one word, and none after this one.
const MOST_POSITIONS = 255;
const LAST_POSITION = 16_383;

/** What is indexed of a passage: its words and those of its row's title, as a tsvector in text form, and how many. */
export function wordVector(passage: string, title: string): { vector: string; size: number } {
  const ofTitle = wordsOf(title);
  const words = [...Array.from({ length: TITLE_COPIES }, () => ofTitle).flat(), ...wordsOf(passage)];
  const positions = new Map<string, number[]>();
  for (const [index, { lexeme }] of words.entries()) {
    const known = positions.get(lexeme) ?? [];
    if (known.length < MOST_POSITIONS && index < LAST_POSITION) known.push(index + 1);
    positions.set(lexeme, known);
  }
  // A lexeme has letters, digits and emoji only: there is nothing to escape.
  const vector = [...positions].map(([lexeme, at]) =>
    at.length > 0 ? `'${lexeme}':${at.join(",")}` : `'${lexeme}'`,
  );
  return { vector: vector.join(" "), size: words.length };
}

import type { Lexicon, Word } from "./lexemes.ts";

// They write words together.
const LANGUAGES = /danish|dutch|finnish|german|hungarian|norwegian|swedish/;
// What is shorter would be found in too many words by chance.
const COMPOUND = /^\p{L}{9,}$/u;
const PART = /^\p{L}{4,}$/u;
// An unknown language may write words together, and its words are not stemmed.
const MAYBE_COMPOUND = /^\p{L}{12,}$/u;
const MAYBE_PART = /^\p{L}{5,}$/u;

const isCompound = (lexeme: string, language: string) =>
  language === "" ? MAYBE_COMPOUND.test(lexeme) : LANGUAGES.test(language) && COMPOUND.test(lexeme);

const isPart = (lexeme: string, language: string) =>
  language === "" ? MAYBE_PART.test(lexeme) : LANGUAGES.test(language) && PART.test(lexeme);

/** The letters of a lexeme from last to first. A compound is found by its last word, as a prefix of them. */
const backwards = (lexeme: string) => `<${[...lexeme].toReversed().join("")}`;

/** What is indexed of a word: its lexemes, and what may be a compound also backwards. */
export function indexedLexemes({ lexemes }: Word, { language, space }: Lexicon): readonly string[] {
  const [first] = lexemes;
  const all = first !== undefined && isCompound(first, language) ? [...lexemes, backwards(first)] : lexemes;
  return space === "" ? all : all.map((lexeme) => space + lexeme);
}

/** The prefixes of compounds that begin or end with a lexeme. */
export const compoundPrefixes = (lexeme: string, { language, space }: Lexicon): string[] =>
  isPart(lexeme, language) ? [space + lexeme, space + backwards(lexeme)] : [];

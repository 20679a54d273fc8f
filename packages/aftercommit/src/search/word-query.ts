import { compoundPrefixes } from "../words/compounds.ts";
import { type Lexicon, quotedLexeme, type Word, wordsOf } from "../words/lexemes.ts";

/** One lexeme to look for, as a tsquery in text form. */
export type Term = {
  lexeme: string;
  isPrefix: boolean;
  query: string;
  /** The language of the rows that have it. */
  language: string;
  /** How much it counts of a whole word, from 0 to 1. */
  share: number;
  /** Terms of the compounds with this word. */
  compounds: Term[];
};

/** What a query asks of words. */
export type WordQuery = {
  /** What to look for: any of them. */
  terms: Term[];
  /** Phrases in quotation marks, as tsqueries: each must be in the row. */
  required: string[];
  /** Words and phrases after a minus sign: none may be in the row. */
  excluded: string[];
};

const PARTS = /(?<minus>(?<!\S)-)?(?:"(?<phrase>[^"]*)"|(?<word>[^\s"]+))/g;
const MOST_TERMS = 64;
// A compound is about something else than its parts.
const OF_A_COMPOUND = 0.3;

type Shape = Pick<Term, "lexeme" | "language"> & { isPrefix: boolean; share?: number; compounds?: Term[] };

function termOf({ share = 1, compounds = [], ...of }: Shape): Term {
  const quoted = quotedLexeme(of.lexeme);
  return { ...of, share, compounds, query: of.isPrefix ? `${quoted}:*` : quoted };
}

/** A single character of a language that is indexed by pairs begins the pairs that it is in. */
const isSingleOfPairs = (lexeme: string) =>
  [...lexeme].length === 1 &&
  /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Hangul}\p{sc=Thai}]/u.test(lexeme);

/** The words of a part of the query. The index has the last character of a run of pairs too, which is not looked for. */
function askedWords(text: string, lexicon: Lexicon): Word[] {
  const words = wordsOf(text, lexicon);
  return words.filter(({ start, end }, index) => {
    const before = words[index - 1];
    return !(before && before.start < start && before.end >= end && before.end > start);
  });
}

/** The terms of a part of the query, by word. */
function termsOf(text: string, lexicon: Lexicon, isPrefix: boolean): Term[][] {
  const { language, space } = lexicon;
  const words = askedWords(text, lexicon);
  return words.map(({ lexemes }, index) =>
    lexemes.map((lexeme) => {
      const begins = isSingleOfPairs(lexeme) || (isPrefix && index === words.length - 1);
      const compounds = compoundPrefixes(lexeme, lexicon).map((prefix) =>
        termOf({ lexeme: prefix, language, isPrefix: true, share: OF_A_COMPOUND / lexemes.length }),
      );
      const whole = { lexeme: space + lexeme, language, isPrefix: begins, share: 1 / lexemes.length };
      return termOf({ ...whole, compounds: begins ? [] : compounds });
    }),
  );
}

/** A query without what it excludes, for models. */
export const withoutExcluded = (query: string): string =>
  query.replace(PARTS, (part, ...rest) => (rest.at(-1).minus ? "" : part)).trim();

const either = (queries: readonly string[]) =>
  queries.length > 1 ? `(${queries.join(" | ")})` : queries.join();

const phraseOf = (words: readonly Term[][]) =>
  `(${words.map((terms) => either(terms.map(({ query }) => query))).join(" <-> ")})`;

/**
 * Reads words, `"phrases"`, `-excluded` words and phrases, and `prefix*`, in each language that the rows of a table
 * are in.
 */
export function parseQuery(query: string, lexicons: readonly Lexicon[]): WordQuery {
  const terms = new Map<string, Term>();
  const required: string[] = [];
  const excluded: string[] = [];
  for (const { groups = {} } of query.matchAll(PARTS)) {
    const { minus, phrase, word = "" } = groups;
    const isPrefix = phrase === undefined && word.endsWith("*");
    const found = lexicons
      .map((lexicon) => termsOf(phrase ?? word, lexicon, isPrefix))
      .filter((words) => words.length > 0);
    if (found.length === 0) continue;
    const anyPhrase = either(found.map(phraseOf));
    if (minus) excluded.push(anyPhrase);
    else {
      if (phrase !== undefined) required.push(anyPhrase);
      for (const term of found.flat(2)) if (terms.size < MOST_TERMS) terms.set(term.query, term);
    }
  }
  return { terms: [...terms.values()], required, excluded };
}

import { wordsOf } from "../words/lexemes.ts";

/** One word to look for, as a tsquery in text form. */
export type Term = { lexeme: string; isPrefix: boolean; query: string };

/** What a query asks of words. */
export type WordQuery = {
  /** What to look for: any of them. */
  terms: Term[];
  /** Phrases in quotation marks, as tsqueries: each must be in the row. */
  required: string[];
  /** Words and phrases after a minus sign: none may be in the row. */
  excluded: string[];
  /** The query without what it excludes, for the embedding model. */
  text: string;
};

const PARTS = /(?<minus>(?<!\S)-)?(?:"(?<phrase>[^"]*)"|(?<word>[^\s"]+))/g;
const MOST_TERMS = 64;

function termOf(lexeme: string, isPrefix: boolean): Term {
  return { lexeme, isPrefix, query: isPrefix ? `'${lexeme}':*` : `'${lexeme}'` };
}

/** The lexemes of a part of the query. The index has the last character of a run of pairs too, which is not looked for. */
function lexemesOf(text: string): Term[] {
  const words = wordsOf(text);
  return words.flatMap(({ lexeme, start, end }, index) => {
    const before = words[index - 1];
    const isTail = before !== undefined && before.start < start && before.end >= end && before.end > start;
    if (isTail) return [];
    return termOf(lexeme, isSingleOfPairs(lexeme));
  });
}

/** A single character of a language that is indexed by pairs begins the pairs that it is in. */
const isSingleOfPairs = (lexeme: string) =>
  [...lexeme].length === 1 &&
  /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Hangul}\p{sc=Thai}]/u.test(lexeme);

const phraseOf = (terms: readonly Term[]) => `(${terms.map(({ query }) => query).join(" <-> ")})`;

/** Reads words, `"phrases"`, `-excluded` words and phrases, and `prefix*`. */
export function parseQuery(query: string): WordQuery {
  const terms = new Map<string, Term>();
  const required: string[] = [];
  const excluded: string[] = [];
  for (const { groups = {} } of query.matchAll(PARTS)) {
    const { minus, phrase, word = "" } = groups;
    const found = lexemesOf(phrase ?? word);
    const last = found.at(-1);
    if (phrase === undefined && word.endsWith("*") && last) found.splice(-1, 1, termOf(last.lexeme, true));
    if (found.length === 0) continue;
    if (minus) excluded.push(phraseOf(found));
    else {
      if (phrase !== undefined) required.push(phraseOf(found));
      for (const term of found) if (terms.size < MOST_TERMS) terms.set(term.query, term);
    }
  }
  const text = query.replace(PARTS, (part, ...rest) => (rest.at(-1).minus ? "" : part)).trim();
  return { terms: [...terms.values()], required, excluded, text };
}

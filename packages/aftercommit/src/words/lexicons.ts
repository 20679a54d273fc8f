import type { EmbeddingDeclaration } from "../declare/declaration.ts";
import { fold, type Lexicon, PLAIN, wordsOf } from "./lexemes.ts";

type Connection = { query(text: string, values: unknown[]): Promise<{ rows: unknown[] }> };
type Text = { language: string; text: string };
type Stemmed = { language: string; word: string; lexemes: string[] };

/** The text search configurations of a table's rows; "" for rows in another language. */
export function languagesOf({ language = "" }: EmbeddingDeclaration): string[] {
  return typeof language === "string" ? [language] : ["", ...new Set(Object.values(language.configurations))];
}

/** Postgres' lexemes of all words of some texts, by language and word. It has none for a stop word. */
async function readStems(db: Connection, texts: readonly Text[]): Promise<Map<string, string[]>> {
  const words = new Map<string, [language: string, word: string]>();
  const lexemesOf = (language: string) => (word: string) => {
    for (const form of [word, fold(word)]) words.set(`${language} ${form}`, [language, form]);
    return [];
  };
  for (const { language, text } of texts)
    if (language !== "") wordsOf(text, { lexemesOf: lexemesOf(language) });
  if (words.size === 0) return new Map();
  const pairs = [...words.values()];
  const { rows } = await db.query(
    `select w.language, w.word, array(select lexeme from unnest(to_tsvector(w.language::regconfig, w.word))) as lexemes
     from unnest($1::text[], $2::text[]) as w (language, word)`,
    [pairs.map(([language]) => language), pairs.map(([, word]) => word)],
  );
  return new Map((rows as Stemmed[]).map(({ language, word, lexemes }) => [`${language} ${word}`, lexemes]));
}

/**
 * The lexicons for some texts of a table's rows. A language's words are stemmed as its configuration says, with and
 * without their accents, so that a query without accents finds words that have them.
 */
export async function readLexicons(
  db: Connection,
  declaration: EmbeddingDeclaration,
  texts: readonly Text[],
): Promise<(language: string) => Lexicon> {
  const stems = await readStems(db, texts);
  const isMixed = typeof declaration.language === "object";
  return (language) => {
    if (language === "") return PLAIN;
    const stemsOf = (word: string) => stems.get(`${language} ${word}`) ?? [];
    return {
      language,
      space: isMixed ? `${language}/` : "",
      lexemesOf(word) {
        const lexemes = new Set([...stemsOf(word), ...stemsOf(fold(word))].map(fold));
        return lexemes.size > 0 ? [...lexemes] : [fold(word)];
      },
    };
  };
}

/** A word with its lexemes, which are what is indexed, and where it is in its text. */
export type Word = { lexemes: readonly string[]; start: number; end: number };

/** How the words of a language are indexed. */
export type Lexicon = {
  /** A text search configuration of Postgres; "" for the words of any language. */
  language: string;
  /** What all lexemes begin with, where the rows of a table are in several languages. */
  space: string;
  /** The lexemes of a word in lowercase. */
  lexemesOf: (word: string) => readonly string[];
};

// Written without spaces between words, or with endings that belong to no word: found by pairs of characters.
const PAIRED = String.raw`\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Hangul}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}ー々\uff9e\uff9f`;
const RUNS = new RegExp(
  String.raw`((?:[${PAIRED}]\p{M}*)+)|(?:(?![${PAIRED}])[\p{L}\p{N}]\p{M}*)+|\p{RI}{2}|\p{Extended_Pictographic}`,
  "gu",
);

// Accents of Latin, Greek and Cyrillic; vowels of Hebrew and Arabic; Arabic's lengthening.
const MARKS = /[\u0300-\u036f\u0591-\u05c7\u0640\u064b-\u065f\u0670]/g;
const LETTERS: Readonly<Record<string, string>> = {
  ß: "ss",
  æ: "ae",
  œ: "oe",
  ø: "o",
  đ: "d",
  ð: "d",
  ł: "l",
  ı: "i",
  þ: "th",
  ς: "σ",
  ى: "ي",
  ة: "ه",
};
const LETTER = new RegExp(`[${Object.keys(LETTERS).join("")}]`, "g");
// Of a word. What is longer is no word, and Postgres takes 2,046 bytes.
const MOST_CHARACTERS = 64;

// What most words are: folding leaves it as it is.
const PLAIN_ASCII = /^[a-z0-9]*$/;

/** Letters without case and accents, and composed as Unicode composes them. */
export const fold = (text: string): string =>
  PLAIN_ASCII.test(text)
    ? text
    : text
        .toLowerCase()
        .normalize("NFKD")
        .replace(MARKS, "")
        .normalize("NFKC")
        .replace(LETTER, (letter) => LETTERS[letter] ?? letter);

/** English plurals (Harman's S stemmer), which does other languages' no harm. */
function singular(word: string): string {
  if (word.length < 4 || !/^[a-z]+s$/.test(word)) return word;
  if (/[^ae]ies$/.test(word)) return `${word.slice(0, -3)}y`;
  if (/(x|z|ch|sh|ss)es$/.test(word)) return word.slice(0, -2);
  return /(us|ss|[aeo]es)$/.test(word) ? word : word.slice(0, -1);
}

function pairsOf(run: string, start: number): Word[] {
  const characters = [...fold(run)];
  const isSame = characters.join("").length === run.length;
  let at = start;
  return characters.map((character, index) => {
    const lexeme = character + (characters[index + 1] ?? "");
    const word = isSame
      ? { lexemes: [lexeme], start: at, end: at + lexeme.length }
      : { lexemes: [lexeme], start, end: start + run.length };
    at += character.length;
    return word;
  });
}

/** Words without case, accents and plurals, whatever the language. */
export const PLAIN: Lexicon = { language: "", space: "", lexemesOf: (word) => [singular(fold(word))] };

const shortened = (lexeme: string) =>
  lexeme.length <= MOST_CHARACTERS ? lexeme : [...lexeme].slice(0, MOST_CHARACTERS).join("");

/**
 * The words of a text in order, as they are indexed and looked for. A run of Chinese, Japanese, Korean or Thai gives
 * each pair of characters, and its last character.
 */
export function wordsOf(text: string, { lexemesOf }: Pick<Lexicon, "lexemesOf"> = PLAIN): Word[] {
  const words: Word[] = [];
  for (const { 0: run, 1: paired, index } of text.matchAll(RUNS)) {
    if (paired === undefined) {
      const lexemes = lexemesOf(run.toLowerCase().normalize("NFC")).map(shortened).filter(Boolean);
      if (lexemes.length > 0) words.push({ lexemes, start: index, end: index + run.length });
    } else for (const word of pairsOf(paired, index)) words.push(word);
  }
  return words;
}

/** A lexeme in a tsvector or a tsquery. */
export const quotedLexeme = (lexeme: string) => `'${lexeme.replace(/['\\]/g, "$&$&")}'`;

/** A tsvector's text, `'cat':3A 'it''s':1,2`, as the list of lexemes that Sequin's table reader sends. */
export function parseLexemes(text: string) {
  return [...text.matchAll(/'((?:[^']|'')*)'(?::([\dA-D,]+))?/g)].map(([, word = "", positions]) => ({
    type: "lexeme",
    word: word.replaceAll("''", "'").replaceAll("\\\\", "\\"),
    positions: (positions?.split(",") ?? []).map((position) => [
      Number.parseInt(position, 10),
      /[ABC]$/.exec(position)?.[0] ?? null,
    ]),
  }));
}

/** A piece of text, and whether it is a word of the query. */
export type Piece = { text: string; isFound: boolean };

const CHARACTERS: Readonly<Record<string, string>> = {
  "&amp;": "&",
  "&lt;": "<",
  "&gt;": ">",
  "&quot;": '"',
  "&#39;": "'",
};

/** The pieces of a result's `highlight`, which is HTML with `<mark>` and escaped characters only. */
export const piecesOf = (highlight: string): Piece[] =>
  highlight.split(/<\/?mark>/).map((html, index) => ({
    text: html.replace(/&(amp|lt|gt|quot|#39);/g, (entity) => CHARACTERS[entity] ?? entity),
    isFound: index % 2 === 1,
  }));

/** The pieces of the first characters, and the rest. */
export function splitAt(pieces: readonly Piece[], length: number): [Piece[], Piece[]] {
  let left = length;
  const before: Piece[] = [];
  const after: Piece[] = [];
  for (const { text, isFound } of pieces) {
    before.push({ text: text.slice(0, left), isFound });
    after.push({ text: text.slice(left), isFound });
    left = Math.max(0, left - text.length);
  }
  return [before, after];
}

export const Marked = ({ pieces }: { pieces: readonly Piece[] }) =>
  pieces.map(({ text, isFound }, index) => {
    // biome-ignore lint/suspicious/noArrayIndexKey: pieces have no other identity
    return isFound && text ? <mark key={index}>{text}</mark> : text;
  });

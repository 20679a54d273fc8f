import { randomOf } from "./texts.ts";

const LETTERS = "abcdefghijklmnopqrstuvwxyz";

/** Queries that mean nothing: one to four words of random letters, the same each time. */
export function nonsense(count: number): string[] {
  const random = randomOf(5);
  const below = (most: number) => Math.floor(random() * most);
  const word = () => Array.from({ length: 4 + below(9) }, () => LETTERS[below(LETTERS.length)]).join("");
  return Array.from({ length: count }, () => Array.from({ length: 1 + below(4) }, word).join(" "));
}

import { chanceOf } from "../helpers/seed.ts";

export type Chance = {
  /** A whole number from 0 to below `limit`. */
  below(limit: number): number;
  one<T>(of: readonly [T, ...T[]]): T;
  text(length: number): string;
};

const CHARACTERS = 'abc 0123{}[]",:\\\u0000\u007fäß漢😀'.split("");

/** What chance decides about the nth request: only the seed and its number matter. */
export function chanceFor(seed: number, n: number): Chance {
  const next = chanceOf(Math.imul(seed, 0x9e3779b1) ^ Math.imul(n + 1, 0x85ebca6b));
  const below = (limit: number) => Math.floor(next() * limit);
  return {
    below,
    one: (of) => of[below(of.length)] ?? of[0],
    text: (length) => Array.from({ length }, () => CHARACTERS[below(CHARACTERS.length)]).join(""),
  };
}

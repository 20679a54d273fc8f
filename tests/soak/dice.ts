import { chanceOf } from "../helpers/seed.ts";

/** What the seed decides, for one of the parallel streams. */
export function diceOf(seed: number, stream: number) {
  const next = chanceOf(seed * 16 + stream);
  const below = (limit: number) => Math.floor(next() * limit);
  const shuffled = <T>(all: readonly T[]): T[] =>
    all
      .map((value) => ({ value, at: below(1e6) }))
      .toSorted((a, b) => a.at - b.at)
      .map(({ value }) => value);
  return { below, shuffled, one: <T>(of: readonly T[]): T | undefined => of[below(of.length)] };
}

export type Dice = ReturnType<typeof diceOf>;

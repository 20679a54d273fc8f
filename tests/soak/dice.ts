import { chanceOf } from "../seed.ts";

/** What the seed decides, for one of the parallel streams. */
export function diceOf(seed: number, stream: number) {
  const next = chanceOf(seed * 16 + stream);
  const below = (limit: number) => Math.floor(next() * limit);
  return { below, one: <T>(of: readonly T[]): T | undefined => of[below(of.length)] };
}

export type Dice = ReturnType<typeof diceOf>;

import { broken, brokenAndHuge, unfinished } from "./broken.ts";
import { type Chance, chanceFor } from "./chance.ts";
import { headerGame } from "./games.ts";
import { health, otherMethod, page, retryFailed, search } from "./pages.ts";
import type { FuzzRequest } from "./request.ts";
import { stranger, strangerAgain, visitor } from "./strangers.ts";
import { empty, valid, validAndLarge } from "./valid.ts";

/** Shares of 2,000 requests. */
const SHARES: [number, (n: number, chance: Chance) => FuzzRequest][] = [
  [119, valid],
  [1, validAndLarge],
  [80, empty],
  [640, broken],
  [8, brokenAndHuge],
  [1, unfinished],
  [360, stranger],
  [10, strangerAgain],
  [121, visitor],
  [360, headerGame],
  [80, search],
  [20, page],
  [40, retryFailed],
  [60, health],
  [100, otherMethod],
];

const ALL = SHARES.reduce((sum, [share]) => sum + share, 0);

/** The nth request of a seed. */
export function requestOf(seed: number, n: number): FuzzRequest {
  const chance = chanceFor(seed, n);
  let left = chance.below(ALL);
  for (const [share, make] of SHARES) {
    if (left < share) return make(n, chance);
    left -= share;
  }
  throw new Error(`No share has request ${n}`);
}

/** Decides what a test run leaves to chance. SEED=… repeats an earlier run. */
export const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 1_000_000));

/** Numbers from 0 to 1 that the seed decides (mulberry32). */
export function chanceOf(start: number): () => number {
  let state = start;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

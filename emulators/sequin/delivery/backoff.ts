/** From this failure on, the wait is the longest one, without jitter. */
const LAST_STEP = 10;

/**
 * How long a message waits after failure number `failures`, in milliseconds: the base doubled each time, 15 % more or
 * less, and 600 times the base from the tenth failure on (lib/sequin/time.ex). `random` is in 0..1.
 */
export function backoffMs(failures: number, baseMs = 1000, random = Math.random()): number {
  if (failures >= LAST_STEP) return baseMs * 600;
  return Math.round(baseMs * 2 ** (failures - 1) * (0.85 + 0.3 * random));
}

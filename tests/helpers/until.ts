import { setTimeout } from "node:timers/promises";

type Wait = {
  what?: string;
  everyMs?: number;
  /** A value that changes while the awaited thing comes closer: output, rows, processor time. Read once a second. */
  progress?: () => unknown;
  /** How long nothing may happen. Longer only if a timer of what is tested takes a minute. */
  stuckMs?: number;
};

/**
 * Resolves with the first truthy value of `probe`. Rejects with the name of what was awaited when `progress` has stayed
 * the same for a minute. The total time does not matter, least of all on a slow machine.
 */
export async function until<T>(
  probe: () => T | Promise<T>,
  { what = "condition", everyMs = 20, progress = () => "", stuckMs = 60_000 }: Wait = {},
): Promise<NonNullable<T>> {
  let seen: string | undefined;
  let [movedAt, lookedAt] = [performance.now(), Number.NEGATIVE_INFINITY];
  for (;;) {
    const value = await probe();
    if (value) return value;
    const now = performance.now();
    if (now - lookedAt > 1_000) {
      lookedAt = now;
      const state = JSON.stringify(await progress());
      if (state !== seen) [seen, movedAt] = [state, now];
    }
    if (now - movedAt > stuckMs) throw new Error(`Nothing happened for ${stuckMs} ms: no ${what} (${seen})`);
    await setTimeout(everyMs);
  }
}

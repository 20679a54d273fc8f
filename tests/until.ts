import { setTimeout } from "node:timers/promises";

type Wait = {
  what?: string;
  everyMs?: number;
  /** Whatever changes while the awaited thing comes nearer: output, rows, processor time. Asked for once a second. */
  progress?: () => unknown;
  /** How long nothing may happen: longer only where a timer of what is tested takes a minute. */
  stuckMs?: number;
};

/**
 * Resolves with the first truthy value of `probe`. Rejects with the name of what was awaited when `progress` has stayed
 * the same for a minute: how long the whole takes says nothing, on a slow machine least of all.
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

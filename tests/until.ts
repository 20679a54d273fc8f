import { setTimeout } from "node:timers/promises";

/** Resolves with the first truthy value of `probe`, or rejects at the deadline with the name of what was awaited. */
export async function until<T>(
  probe: () => T | Promise<T>,
  { timeoutMs = 10_000, everyMs = 20, what = "condition" } = {},
): Promise<NonNullable<T>> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const value = await probe();
    if (value) return value;
    if (Date.now() > deadline) throw new Error(`Waited ${timeoutMs} ms for ${what}`);
    await setTimeout(everyMs);
  }
}

import { setTimeout as sleep } from "node:timers/promises";

/** Checks ten times a second until the result is true. Rejects after `timeoutMs`. */
export async function until(
  ask: () => Promise<boolean>,
  { what, timeoutMs }: { what: string; timeoutMs: number },
): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!(await ask())) {
    if (Date.now() > deadline) throw new Error(`${what}: not within ${timeoutMs / 1000} s`);
    await sleep(100);
  }
}

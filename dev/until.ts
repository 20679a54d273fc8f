import { setTimeout as sleep } from "node:timers/promises";

/** Asks every `everyMs` until the answer is true. Rejects after `timeoutMs`, or when the signal aborts. */
export async function until(
  ask: () => Promise<boolean>,
  {
    what,
    timeoutMs,
    everyMs = 100,
    signal,
  }: { what: string; timeoutMs: number; everyMs?: number; signal?: AbortSignal },
): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!(await ask())) {
    signal?.throwIfAborted();
    if (Date.now() > deadline) throw new Error(`${what}: not within ${timeoutMs / 1000} s`);
    await sleep(everyMs);
  }
}

import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Turnstile } from "../turnstile.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

it("says once who keeps the session when others have waited for 5 s", () => {
  const log: string[] = [];
  const turnstile = new Turnstile((line) => log.push(line));
  const waiter = (name: string) => ({ name, enter: () => {} });
  const [holder, first, second] = [waiter("holder"), waiter("first"), waiter("second")];
  turnstile.request(holder);
  vi.advanceTimersByTime(60_000);
  turnstile.request(first);
  turnstile.request(second);
  vi.advanceTimersByTime(4_999);
  expect(log).toEqual([]);
  vi.advanceTimersByTime(60_000);
  expect(log).toEqual(["holder keeps others waiting for 5 s: first second"]);

  turnstile.release(second);
  turnstile.release(holder);
  vi.runAllTicks();
  vi.advanceTimersToNextTimer();
  expect([turnstile.holds(first), turnstile.contended]).toEqual([true, false]);
});

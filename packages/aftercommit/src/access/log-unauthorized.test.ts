import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { createUnauthorizedCount } from "./log-unauthorized.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it("requests without the right secret are logged once a minute per route, the first one immediately", () => {
  const written: [route: string, requests: number][] = [];
  const count = createUnauthorizedCount((...line) => written.push(line));
  for (let n = 0; n < 5_000; n += 1) count("/api/delete-user");
  expect(written.splice(0)).toEqual([["/api/delete-user", 1]]);
  vi.advanceTimersByTime(30_000);
  count("/");
  expect(written.splice(0)).toEqual([["/", 1]]);
  vi.advanceTimersByTime(30_000);
  expect(written.splice(0)).toEqual([["/api/delete-user", 4_999]]);
  vi.advanceTimersByTime(600_000);
  expect(written).toEqual([]);
  count("/api/delete-user");
  expect(written).toEqual([["/api/delete-user", 1]]);
});

import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { createRefusalCount, type Refusals } from "../../lib/access/count-refusals.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const wrong = { route: "/api/delete-user", reason: "missing or wrong secret" };

it("counts what asks for ever new routes together", () => {
  const written: Refusals[][] = [];
  const count = createRefusalCount((refusals) => written.push(refusals));
  for (let n = 0; n < 5_000; n += 1) count({ route: `/${n}`, reason: "wrong" });
  vi.advanceTimersByTime(60_000);
  expect(written[1]).toHaveLength(21);
  expect(written[1]?.at(-1)).toEqual({ route: "another route", reason: "wrong", requests: 4_979 });
});

it("writes the first refusal at once, and those of the next minute together at its end", () => {
  const written: Refusals[][] = [];
  const count = createRefusalCount((refusals) => written.push(refusals));
  count(wrong);
  expect(written).toEqual([[{ ...wrong, requests: 1 }]]);
  for (let n = 0; n < 5_000; n += 1) count(wrong);
  count({ route: "/", reason: "wrong password" });
  expect(written).toHaveLength(1);
  vi.advanceTimersByTime(60_000);
  expect(written[1]).toEqual([
    { ...wrong, requests: 5_000 },
    { route: "/", reason: "wrong password", requests: 1 },
  ]);
  vi.advanceTimersByTime(600_000);
  expect(written).toHaveLength(2);
  count(wrong);
  expect(written[2]).toEqual([{ ...wrong, requests: 1 }]);
});

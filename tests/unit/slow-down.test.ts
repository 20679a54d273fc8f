import { describe, expect, it } from "vitest";
import { createSlowDown } from "../../lib/access/slow-down.ts";

/** A slow-down with a clock that the test moves; `waits` are the pauses that it asked for. */
function slowDown() {
  const waits: number[] = [];
  const clock = { now: 0 };
  const release: (() => void)[] = [];
  const fail = createSlowDown({
    now: () => clock.now,
    wait: (ms) => {
      waits.push(ms);
      return new Promise<void>((resolve) => release.push(resolve));
    },
  });
  return {
    waits,
    clock,
    fail: (source: string) => void fail(source),
    release() {
      for (const resolve of release.splice(0)) resolve();
    },
  };
}

const times = (count: number, work: (n: number) => void) => Array.from({ length: count }, (_, n) => work(n));

describe("a source that fails again and again", () => {
  it("is answered at once ten times, then ever later, up to 3 s", () => {
    const { waits, fail } = slowDown();
    times(10, () => fail("a"));
    expect(waits).toEqual([]);
    times(8, () => fail("a"));
    expect(waits).toEqual([100, 200, 400, 800, 1_600, 3_000, 3_000, 3_000]);
  });

  it("slows no other source", () => {
    const { waits, fail } = slowDown();
    times(50, () => fail("a"));
    waits.length = 0;
    fail("b");
    expect(waits).toEqual([]);
  });

  it("is forgotten after a quiet minute", () => {
    const { waits, clock, fail } = slowDown();
    times(50, () => fail("a"));
    waits.length = 0;
    clock.now += 60_000;
    fail("a");
    expect(waits).toEqual([]);
  });
});

it("holds a hundred answers at most, and more when those are given", async () => {
  const { waits, fail, release } = slowDown();
  times(10, () => fail("a"));
  times(500, () => fail("a"));
  expect(waits).toHaveLength(100);
  release();
  await Promise.resolve();
  await Promise.resolve();
  fail("a");
  expect(waits).toHaveLength(101);
});

it("remembers a thousand sources: the one that failed longest ago is forgotten first", () => {
  const { waits, fail } = slowDown();
  times(10, () => fail("first"));
  times(10, () => fail("second"));
  times(998, (n) => fail(`other ${n}`));
  fail("first");
  expect(waits).toHaveLength(1);
  fail("one more");
  fail("second");
  expect(waits).toHaveLength(1);
});

import { setImmediate } from "node:timers/promises";
import { expect, it } from "vitest";
import { mapConcurrent } from "./map-concurrent.ts";

it("maps every item, keeps their order, and runs at most 10 at the same time", async () => {
  let underWay = 0;
  let most = 0;
  const items = Array.from({ length: 100 }, (_, index) => index);
  const results = await mapConcurrent(items, async (item) => {
    underWay += 1;
    most = Math.max(most, underWay);
    for (let turn = 0; turn < (item * 7) % 5; turn += 1) await setImmediate();
    underWay -= 1;
    return item * 2;
  });
  expect(results).toEqual(items.map((item) => item * 2));
  expect(most).toBe(10);
});

it("maps nothing to nothing", async () => {
  expect(await mapConcurrent([], async () => 1)).toEqual([]);
});

it("rejects with the first error", async () => {
  const work = mapConcurrent([1, 2, 3], async (item) => {
    if (item === 2) throw new Error(`item ${item}`);
  });
  await expect(work).rejects.toThrow("item 2");
});

it("starts nothing after an error, and rejects when the running ones have ended", async () => {
  const [begun, ended]: [number[], number[]] = [[], []];
  const items = Array.from({ length: 100 }, (_, index) => index);
  const work = mapConcurrent(items, async (item) => {
    begun.push(item);
    if (item === 3) throw new Error("the first");
    for (let turn = 0; turn < 5; turn += 1) await setImmediate();
    if (item === 4) throw new Error("another");
    ended.push(item);
  });
  await expect(work).rejects.toThrow("the first");
  expect(begun).toEqual(items.slice(0, 10));
  expect(ended).toEqual([0, 1, 2, 5, 6, 7, 8, 9]);
});

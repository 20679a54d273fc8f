import { beforeEach, expect, test } from "vitest";
import { backoffMs } from "../delivery/backoff.ts";
import { DeliveryQueue, type Entry } from "../delivery/queue.ts";

let queue: DeliveryQueue;
beforeEach(() => {
  queue = new DeliveryQueue();
});

function entry(id: number, group: string | null, read = false): Entry {
  return { id, group, read, deliverCount: 0 };
}
function add(...entries: Entry[]): Entry[] {
  for (const one of entries) queue.add(one);
  return entries;
}
function take(limit = 100, now = 0): number[] {
  queue.wake(now);
  return queue.take(limit).map(({ id }) => id);
}

test("messages of different rows go out together, in order", () => {
  add(entry(2, "b"), entry(1, "a"), entry(3, "c"));
  expect(take()).toEqual([1, 2, 3]);
});

test("at most one message of a row is out at a time, also within one batch", () => {
  const [first] = add(entry(1, "a"), entry(2, "a"), entry(3, "b"));
  expect(take()).toEqual([1, 3]);
  expect(take()).toEqual([]);
  if (first) queue.release(first);
  expect(take()).toEqual([2]);
});

test("messages without a group do not wait for each other", () => {
  add(entry(1, null), entry(2, null));
  expect(take()).toEqual([1, 2]);
});

test("a failed message lets the newer ones of its row go first and comes after them", () => {
  const [a] = add(entry(1, "row"), entry(2, "row"));
  expect(take()).toEqual([1]);
  if (a) queue.postpone(a, 1000);
  expect(take(100, 10)).toEqual([2]);
  expect(take(100, 1000)).toEqual([]);
  queue.release(entry(2, "row"));
  expect(take(100, 1000)).toEqual([1]);
});

test("a failed message that is due goes before newer ones that have not been sent yet", () => {
  const [a] = add(entry(1, "row"));
  take();
  if (a) queue.postpone(a, 1000);
  add(entry(2, "row"));
  expect(take(100, 1000)).toEqual([1]);
});

test("changes go before backfilled rows", () => {
  add(entry(1, "a", true), entry(2, "b", true), entry(3, "c"));
  expect(take()).toEqual([3, 1, 2]);
});

test("a backfilled row goes before a later change of the same row", () => {
  const [read] = add(entry(1, "a", true), entry(2, "a"));
  expect(take()).toEqual([1]);
  if (read) queue.release(read);
  expect(take()).toEqual([2]);
});

test("no message is due before its time, and all are when the backoff is reset", () => {
  const [a] = add(entry(1, "a"));
  take();
  if (a) queue.postpone(a, 500);
  expect(take(100, 499)).toEqual([]);
  expect(queue.wakeAll()).toBe(1);
  expect(take(100, 499)).toEqual([1]);
  expect(queue.size).toBe(1);
});

test("ten thousand messages of a thousand rows all come out once, each row in order", () => {
  for (let id = 0; id < 10_000; id++) queue.add(entry(id, `row ${id % 1000}`));
  const seen = new Map<string, number>();
  let total = 0;
  for (let batch = queue.take(7); batch.length > 0; batch = queue.take(7)) {
    for (const one of batch) {
      const row = one.group ?? "";
      expect(one.id).toBeGreaterThan(seen.get(row) ?? -1);
      seen.set(row, one.id);
      total++;
      queue.release(one);
    }
  }
  expect(total).toBe(10_000);
  expect(queue.size).toBe(0);
});

test("the wait doubles from one second, 15 % more or less, and is ten minutes from the tenth failure on", () => {
  for (let failures = 1; failures < 10; failures++) {
    expect(backoffMs(failures, 1000, 0)).toBe(Math.round(850 * 2 ** (failures - 1)));
    expect(backoffMs(failures, 1000, 1)).toBe(1150 * 2 ** (failures - 1));
  }
  expect([backoffMs(10, 1000, 0), backoffMs(10, 1000, 1), backoffMs(50)]).toEqual([
    600_000, 600_000, 600_000,
  ]);
});

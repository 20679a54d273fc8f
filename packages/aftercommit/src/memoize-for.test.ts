import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { memoizeFor } from "./memoize-for.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const hung = () => new Promise<never>(() => {});

describe("a result", () => {
  it("is shared by all callers while it is fresh, and read again afterwards", async () => {
    let reads = 0;
    const read = memoizeFor(
      async () => (reads += 1),
      () => 1_000,
    );
    expect(await Promise.all([read(), read()])).toEqual([1, 1]);
    await vi.advanceTimersByTimeAsync(999);
    expect(await read()).toBe(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(await read()).toBe(2);
  });

  it("is fresh for a time that depends on how long it took", async () => {
    let reads = 0;
    const work = async () => {
      reads += 1;
      await new Promise((resolve) => setTimeout(resolve, 100));
      return reads;
    };
    const read = memoizeFor(work, (tookMs) => 20 * tookMs);
    const first = read();
    await vi.advanceTimersByTimeAsync(100);
    expect(await first).toBe(1);
    await vi.advanceTimersByTimeAsync(1_999);
    expect(await read()).toBe(1);
  });
});

describe("no caller is stuck", () => {
  it("with work that hangs: it is given up, and the next caller gets a result", async () => {
    const works = [hung, async () => "read"];
    const read = memoizeFor(
      () => works.shift()?.() ?? hung(),
      () => 1_000,
    );
    const viewers = Promise.allSettled([read(), read()]);
    await vi.advanceTimersByTimeAsync(15_000);
    expect((await viewers).map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    expect(await read()).toBe("read");
  });

  it("with a failure: it is shared only with callers that waited for it", async () => {
    const works = [() => Promise.reject(new Error("down")), async () => "read"];
    const read = memoizeFor(
      async () => works.shift()?.(),
      () => 1_000,
    );
    const viewers = await Promise.allSettled([read(), read()]);
    expect(viewers.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    expect(await read()).toBe("read");
  });
});

import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FakeClock, hours, minutes, seconds } from "./helpers/fake-clock.ts";
import { serve, type TestServer } from "./helpers/serve.ts";
import { Worker } from "./helpers/worker.ts";

describe("a run that does not start at once", () => {
  const clock = new FakeClock();
  let server: TestServer;
  let worker: Worker;
  beforeEach(async () => {
    server = await serve({ clock });
    worker = new Worker(server.url);
    await worker.register([{ id: "job" }, { id: "patient", ttl: "1h" }]);
  });
  afterEach(() => server.close());

  const statusOf = async (id: string) => (await worker.retrieve(id)).status;

  test.each([
    ["job", {}, minutes(10), "10m"],
    ["patient", {}, hours(1), "1h"],
    ["patient", { ttl: "2s" }, seconds(2), "2s"],
    ["job", { ttl: 90 }, seconds(90), "1m30s"],
  ])("of task %s with %o expires after its ttl", async (task, options, ms, text) => {
    const { id } = await worker.trigger(task, options);
    clock.advance(ms - 1);
    expect(await statusOf(id)).toBe("QUEUED");
    clock.advance(1);
    const run = await worker.retrieve(id);
    expect(run).toMatchObject({
      status: "EXPIRED",
      isCompleted: false,
      error: { message: `Run expired because the TTL (${text}) was reached` },
    });
    expect(run.expiredAt).toEqual(new Date(clock.now()));
  });

  test("does not expire once it has started", async () => {
    const { id } = await worker.trigger("job", { ttl: "10s" });
    await worker.start(await worker.take());
    clock.advance(seconds(11));
    expect(await statusOf(id)).toBe("EXECUTING");
  });

  test("starts after its delay; its ttl counts from then", async () => {
    const { id } = await worker.trigger("job", { delay: "1h", ttl: "5s" });
    const run = await worker.retrieve(id);
    expect(run).toMatchObject({ status: "DELAYED", isQueued: true });
    expect(run.delayedUntil).toEqual(new Date(clock.now() + hours(1)));
    clock.advance(hours(1));
    expect(await statusOf(id)).toBe("QUEUED");
    clock.advance(seconds(5));
    expect(await statusOf(id)).toBe("EXPIRED");
  });

  test.each(["bogus", "2020-01-01T00:00:00Z", ""])("with the delay %o starts at once", async (delay) => {
    const { id } = await worker.trigger("job", { delay });
    expect(await statusOf(id)).toBe("QUEUED");
  });

  test("can be rescheduled while it is delayed, and not later", async () => {
    const { id } = await worker.trigger("job", { delay: "1h" });
    const moved = await worker.call("POST", `/api/v1/runs/${id}/reschedule`, { delay: "2h" });
    expect(moved.status).toBe(200);
    clock.advance(hours(1));
    expect(await statusOf(id)).toBe("DELAYED");
    clock.advance(hours(1));
    expect(await statusOf(id)).toBe("QUEUED");
    expect((await worker.call("POST", `/api/v1/runs/${id}/reschedule`, { delay: "2h" })).status).toBe(422);
  });

  test("can be cancelled while it is delayed, and then never starts", async () => {
    const { id } = await worker.trigger("job", { delay: "1h" });
    await worker.call("POST", `/api/v2/runs/${id}/cancel`);
    expect(await worker.retrieve(id)).toMatchObject({
      status: "CANCELED",
      error: { message: "Canceled by user" },
    });
    clock.advance(hours(2));
    expect(await statusOf(id)).toBe("CANCELED");
  });

  test("has no time of its end when it is cancelled, neither before its first attempt nor between two", async () => {
    await worker.register([{ id: "job", retry: { maxAttempts: 3 } }]);
    const between = await worker.trigger("job");
    const held = await worker.start(await worker.take());
    await worker.fail(held, { delay: minutes(2), timestamp: clock.now() + minutes(2) });
    const before = await worker.trigger("job");
    for (const { id } of [between, before]) {
      await worker.call("POST", `/api/v2/runs/${id}/cancel`);
      const run = await worker.retrieve(id);
      expect(run).toMatchObject({ status: "CANCELED", isCompleted: true, isCancelled: true });
      expect(run.finishedAt).toBeUndefined();
    }
  });

  test("is cancelled with its parent, at the same time", async () => {
    const parent = await worker.trigger("job");
    const held = await worker.start(await worker.take());
    const child = await worker.trigger("job", { parentRunId: parent.id, delay: "1h" });
    await worker.call("POST", `/api/v2/runs/${parent.id}/cancel`);
    const error = { type: "INTERNAL_ERROR", code: "TASK_RUN_CANCELLED" } as const;
    await worker.complete(
      { ...held, snapshot: (await worker.latest(held.run)).snapshot.friendlyId },
      { ok: false, error },
    );
    expect((await worker.retrieve(child.id)).finishedAt).toEqual(new Date(clock.now()));
    expect((await worker.retrieve(parent.id)).finishedAt).toEqual(new Date(clock.now()));
  });

  test("is pushed back by each trigger with its debounce key and keeps the first payload", async () => {
    const debounce = { key: "d", delay: "10s" };
    const { id } = await worker.trigger("job", { debounce }, 1);
    clock.advance(seconds(9));
    expect(await worker.trigger("job", { debounce }, 2)).toMatchObject({ id, isCached: false });
    clock.advance(seconds(9));
    expect(await statusOf(id)).toBe("DELAYED");
    clock.advance(seconds(1));
    expect(await worker.retrieve(id)).toMatchObject({ status: "QUEUED", payload: 1 });
    expect((await worker.trigger("job", { debounce }, 3)).id).not.toBe(id);
  });

  test("takes the last payload with a trailing debounce, and is pushed back no further than maxDelay", async () => {
    const debounce = { key: "d", delay: "10s", mode: "trailing", maxDelay: "15s" };
    const { id } = await worker.trigger("job", { debounce }, 1);
    clock.advance(seconds(4));
    expect((await worker.trigger("job", { debounce }, 2)).id).toBe(id);
    clock.advance(seconds(4));
    expect((await worker.trigger("job", { debounce }, 3)).id).not.toBe(id);
    clock.advance(seconds(6));
    expect(await worker.retrieve(id)).toMatchObject({ status: "QUEUED", payload: 2 });
  });

  test("waits without a limit for a worker that has its task", async () => {
    const { id } = await worker.trigger("later", { ttl: "100d" });
    await worker.trigger("job");
    const other = await worker.take();
    expect(other.run).not.toBe(id);
    expect(await worker.retrieve(id)).toMatchObject({ status: "PENDING_VERSION", isQueued: true });
    await worker.register([{ id: "job" }, { id: "later" }]);
    expect(await worker.take()).toMatchObject({ run: id });
  });
});

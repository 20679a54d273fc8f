import { describe, expect, test } from "vitest";
import { FakeClock, hours, minutes, seconds } from "./helpers/fake-clock.ts";
import { workerForTests } from "./helpers/worker-for-tests.ts";

describe("a run that does not start immediately", () => {
  const clock = new FakeClock();
  const on = workerForTests([{ id: "job" }, { id: "patient", ttl: "1h" }], { clock });

  const statusOf = async (id: string) => (await on.worker.retrieve(id)).status;

  test.each([
    ["job", {}, minutes(10), "10m"],
    ["patient", {}, hours(1), "1h"],
    ["patient", { ttl: "2s" }, seconds(2), "2s"],
    ["job", { ttl: 90 }, seconds(90), "1m30s"],
  ])("of task %s with %o expires after its ttl", async (task, options, ms, text) => {
    const { id } = await on.worker.trigger(task, options);
    clock.advance(ms - 1);
    expect(await statusOf(id)).toBe("QUEUED");
    clock.advance(1);
    const run = await on.worker.retrieve(id);
    expect(run).toMatchObject({
      status: "EXPIRED",
      isCompleted: false,
      error: { message: `Run expired because the TTL (${text}) was reached` },
    });
    expect(run.expiredAt).toEqual(new Date(clock.now()));
  });

  test("does not expire once it has started", async () => {
    const { id } = await on.worker.trigger("job", { ttl: "10s" });
    await on.worker.start(await on.worker.take());
    clock.advance(seconds(11));
    expect(await statusOf(id)).toBe("EXECUTING");
  });

  test("starts after its delay; its ttl counts from then", async () => {
    const { id } = await on.worker.trigger("job", { delay: "1h", ttl: "5s" });
    const run = await on.worker.retrieve(id);
    expect(run).toMatchObject({ status: "DELAYED", isQueued: true });
    expect(run.delayedUntil).toEqual(new Date(clock.now() + hours(1)));
    clock.advance(hours(1));
    expect(await statusOf(id)).toBe("QUEUED");
    clock.advance(seconds(5));
    expect(await statusOf(id)).toBe("EXPIRED");
  });

  test.each(["bogus", "2020-01-01T00:00:00Z", ""])("with the delay %o starts immediately", async (delay) => {
    const { id } = await on.worker.trigger("job", { delay });
    expect(await statusOf(id)).toBe("QUEUED");
  });

  test("can be rescheduled while it is delayed, and not later", async () => {
    const { id } = await on.worker.trigger("job", { delay: "1h" });
    const moved = await on.worker.call("POST", `/api/v1/runs/${id}/reschedule`, { delay: "2h" });
    expect(moved.status).toBe(200);
    clock.advance(hours(1));
    expect(await statusOf(id)).toBe("DELAYED");
    clock.advance(hours(1));
    expect(await statusOf(id)).toBe("QUEUED");
    expect((await on.worker.call("POST", `/api/v1/runs/${id}/reschedule`, { delay: "2h" })).status).toBe(422);
  });

  test("can be canceled while it is delayed, and then never starts", async () => {
    const { id } = await on.worker.trigger("job", { delay: "1h" });
    await on.worker.call("POST", `/api/v2/runs/${id}/cancel`);
    expect(await on.worker.retrieve(id)).toMatchObject({
      status: "CANCELED",
      error: { message: "Canceled by user" },
    });
    clock.advance(hours(2));
    expect(await statusOf(id)).toBe("CANCELED");
  });

  test("has no time of its end when it is canceled, neither before its first attempt nor between two", async () => {
    await on.worker.register([{ id: "job", retry: { maxAttempts: 3 } }]);
    const between = await on.worker.trigger("job");
    const held = await on.worker.start(await on.worker.take());
    await on.worker.fail(held, { delay: minutes(2), timestamp: clock.now() + minutes(2) });
    const before = await on.worker.trigger("job");
    for (const { id } of [between, before]) {
      await on.worker.call("POST", `/api/v2/runs/${id}/cancel`);
      const run = await on.worker.retrieve(id);
      expect(run).toMatchObject({ status: "CANCELED", isCompleted: true, isCancelled: true });
      expect(run.finishedAt).toBeUndefined();
    }
  });

  test("is canceled with its parent, at the same time", async () => {
    const parent = await on.worker.trigger("job");
    const held = await on.worker.start(await on.worker.take());
    const child = await on.worker.trigger("job", { parentRunId: parent.id, delay: "1h" });
    await on.worker.call("POST", `/api/v2/runs/${parent.id}/cancel`);
    const error = { type: "INTERNAL_ERROR", code: "TASK_RUN_CANCELLED" } as const;
    await on.worker.complete(
      { ...held, snapshot: (await on.worker.latest(held.run)).snapshot.friendlyId },
      { ok: false, error },
    );
    expect((await on.worker.retrieve(child.id)).finishedAt).toEqual(new Date(clock.now()));
    expect((await on.worker.retrieve(parent.id)).finishedAt).toEqual(new Date(clock.now()));
  });

  test("is pushed back by each trigger with its debounce key and keeps the first payload", async () => {
    const debounce = { key: "d", delay: "10s" };
    const { id } = await on.worker.trigger("job", { debounce }, 1);
    clock.advance(seconds(9));
    expect(await on.worker.trigger("job", { debounce }, 2)).toMatchObject({ id, isCached: false });
    clock.advance(seconds(9));
    expect(await statusOf(id)).toBe("DELAYED");
    clock.advance(seconds(1));
    expect(await on.worker.retrieve(id)).toMatchObject({ status: "QUEUED", payload: 1 });
    expect((await on.worker.trigger("job", { debounce }, 3)).id).not.toBe(id);
  });

  test("takes the last payload with a trailing debounce, and is pushed back no further than maxDelay", async () => {
    const debounce = { key: "d", delay: "10s", mode: "trailing", maxDelay: "15s" };
    const { id } = await on.worker.trigger("job", { debounce }, 1);
    clock.advance(seconds(4));
    expect((await on.worker.trigger("job", { debounce }, 2)).id).toBe(id);
    clock.advance(seconds(4));
    expect((await on.worker.trigger("job", { debounce }, 3)).id).not.toBe(id);
    clock.advance(seconds(6));
    expect(await on.worker.retrieve(id)).toMatchObject({ status: "QUEUED", payload: 2 });
  });

  test("waits without a limit for a worker that has its task", async () => {
    const { id } = await on.worker.trigger("later", { ttl: "100d" });
    await on.worker.trigger("job");
    const other = await on.worker.take();
    expect(other.run).not.toBe(id);
    expect(await on.worker.retrieve(id)).toMatchObject({ status: "PENDING_VERSION", isQueued: true });
    await on.worker.register([{ id: "job" }, { id: "later" }]);
    expect(await on.worker.take()).toMatchObject({ run: id });
  });
});

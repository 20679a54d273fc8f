import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FakeClock, hours, minutes, seconds } from "./helpers/fake-clock.ts";
import { serve, type TestServer } from "./helpers/serve.ts";
import { type Held, Worker } from "./helpers/worker.ts";

const RESUMED = 50;

describe("a run that waits", () => {
  const clock = new FakeClock();
  let server: TestServer;
  let worker: Worker;
  let parent: Held;
  beforeEach(async () => {
    server = await serve({ clock });
    worker = new Worker(server.url);
    await worker.register([{ id: "parent" }, { id: "child", retry: { maxAttempts: 1 } }]);
    await worker.trigger("parent");
    parent = await worker.start(await worker.take());
  });
  afterEach(() => server.close());

  const ask = (options = {}) =>
    worker.trigger("child", { parentRunId: parent.run, resumeParentOnCompletion: true, ...options });

  const state = async () => {
    const { snapshot, completedWaitpoints } = await worker.latest(parent.run);
    return { status: snapshot.executionStatus, completed: completedWaitpoints };
  };

  test("for a child gets its output when it ends", async () => {
    const { id } = await ask();
    expect((await state()).status).toBe("EXECUTING_WITH_WAITPOINTS");
    expect((await worker.retrieve(parent.run)).status).toBe("EXECUTING");
    await worker.runNext({ sum: 3 });
    clock.advance(RESUMED);
    expect(await state()).toMatchObject({
      status: "EXECUTING",
      completed: [
        { type: "RUN", completedByTaskRun: { friendlyId: id }, output: '{"sum":3}', outputIsError: false },
      ],
    });
  });

  test("for a child gets its error", async () => {
    await ask();
    await worker.fail(await worker.start(await worker.take()));
    clock.advance(RESUMED);
    const { completed } = await state();
    expect(completed).toMatchObject([{ outputIsError: true, outputType: "application/json" }]);
    expect(JSON.parse(completed[0]?.output ?? "")).toMatchObject({ type: "BUILT_IN_ERROR", message: "no" });
  });

  test("for a child goes on when the child expires or is canceled", async () => {
    await ask({ ttl: "5s" });
    clock.advance(seconds(5) + RESUMED);
    expect(await state()).toMatchObject({ status: "EXECUTING", completed: [{ outputIsError: true }] });
    const { id } = await ask();
    await worker.call("POST", `/api/v2/runs/${id}/cancel`);
    clock.advance(RESUMED);
    expect(await state()).toMatchObject({ status: "EXECUTING", completed: [{ outputIsError: true }] });
  });

  test("for a child that its idempotency key finds finished continues immediately", async () => {
    const { id } = await worker.trigger("child", { idempotencyKey: "k" });
    await worker.runNext("before");
    expect(await ask({ idempotencyKey: "k" })).toMatchObject({ id, isCached: true });
    clock.advance(RESUMED);
    expect(await state()).toMatchObject({ status: "EXECUTING", completed: [{ output: '"before"' }] });
  });

  test("cannot ask for more once it is over", async () => {
    await worker.succeed(parent);
    expect(await ask()).toMatchObject({
      status: 422,
      json: { error: "Cannot trigger child as the parent run has a status of COMPLETED_SUCCESSFULLY" },
    });
  });

  test("forgets what it waited for when its attempt fails", async () => {
    await ask();
    const { snapshot } = await worker.latest(parent.run);
    await worker.fail({ run: parent.run, snapshot: snapshot.friendlyId });
    await worker.runNext();
    clock.advance(RESUMED);
    expect((await state()).status).toBe("FINISHED");
  });

  test("for a time goes on at that time", async () => {
    const date = new Date(clock.now() + hours(3)).toISOString();
    const waiting = await worker.call("POST", `/engine/v1/runs/${parent.run}/wait/duration`, { date });
    expect(waiting.json).toMatchObject({ waitUntil: date });
    for (let n = 0; n < 60; n += 1) {
      const { snapshot } = await worker.latest(parent.run);
      const path = `/engine/v1/dev/runs/${parent.run}/snapshots/${snapshot.friendlyId}/heartbeat`;
      await worker.call("POST", path, {});
      clock.advance(minutes(3) - 1);
    }
    expect((await state()).status).toBe("EXECUTING_WITH_WAITPOINTS");
    clock.advance(60 + RESUMED);
    expect(await state()).toMatchObject({ status: "EXECUTING", completed: [{ type: "DATETIME" }] });
  });

  test("for a token goes on when someone completes it, and only the first completion counts", async () => {
    const { json } = await worker.call("POST", "/api/v1/waitpoints/tokens", { tags: ["a"], timeout: "1h" });
    const { id, url } = Object(json);
    expect(url).toBe(`${server.url}/api/v1/waitpoints/tokens/${id}/complete`);
    await worker.call("POST", `/engine/v1/runs/${parent.run}/waitpoints/tokens/${id}/wait`);
    for (const answer of [1, 2])
      expect(
        (await worker.call("POST", `/api/v1/waitpoints/tokens/${id}/complete`, { data: { answer } })).json,
      ).toEqual({
        success: true,
      });
    clock.advance(RESUMED);
    expect(await state()).toMatchObject({ completed: [{ type: "MANUAL", output: '{"json":{"answer":1}}' }] });
    const token = await worker.call("GET", `/api/v1/waitpoints/tokens/${id}`);
    expect(token.json).toMatchObject({ status: "COMPLETED", tags: ["a"] });
  });

  test("for a token gets an error when the token times out", async () => {
    const { json } = await worker.call("POST", "/api/v1/waitpoints/tokens", { timeout: "1m" });
    const { id } = Object(json);
    await worker.call("POST", `/engine/v1/runs/${parent.run}/waitpoints/tokens/${id}/wait`);
    clock.advance(minutes(1) + RESUMED);
    const { completed } = await state();
    expect(completed).toMatchObject([{ outputIsError: true }]);
    expect(completed[0]?.output).toContain("TRIGGER_WAITPOINT_TIMEOUT");
    expect((await worker.call("GET", `/api/v1/waitpoints/tokens/${id}`)).json).toMatchObject({
      status: "TIMED_OUT",
    });
  });

  test("gets the same token for the same idempotency key", async () => {
    const create = async () =>
      Object(
        (
          await worker.call("POST", "/api/v1/waitpoints/tokens", {
            idempotencyKey: "k",
            idempotencyKeyTTL: "1h",
          })
        ).json,
      );
    const first = await create();
    expect(await create()).toMatchObject({ id: first.id, isCached: true });
    clock.advance(hours(1));
    expect(await create()).toMatchObject({ isCached: false });
  });
});

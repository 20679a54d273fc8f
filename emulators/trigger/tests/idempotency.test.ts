import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { days, FakeClock, hours, seconds } from "./helpers/fake-clock.ts";
import { serve, type TestServer } from "./helpers/serve.ts";
import { Worker } from "./helpers/worker.ts";

describe("an idempotency key", () => {
  const clock = new FakeClock();
  let server: TestServer;
  let worker: Worker;
  beforeEach(async () => {
    server = await serve({ clock, limits: { finishedRuns: 1 } });
    worker = new Worker(server.url);
    await worker.register([{ id: "job" }, { id: "other" }]);
  });
  afterEach(() => server.close());

  const keyed = (task = "job", ttl?: string) =>
    worker.trigger(task, { idempotencyKey: "k", ...(ttl && { idempotencyKeyTTL: ttl }) });

  test("stands for one run, while it is open and after it has succeeded", async () => {
    const first = await keyed();
    expect(first.isCached).toBe(false);
    expect(await keyed()).toMatchObject({ id: first.id, isCached: true });
    await worker.runNext();
    expect(await keyed()).toMatchObject({ id: first.id, isCached: true });
  });

  test("of one task says nothing about another", async () => {
    const first = await keyed();
    expect((await keyed("other")).id).not.toBe(first.id);
  });

  test("as a header wins over the option", async () => {
    const header = { "idempotency-key": "by-header" };
    const body = { payload: {}, options: { idempotencyKey: "by-option" } };
    const first = await worker.call("POST", "/api/v1/tasks/job/trigger", body, header);
    const second = await worker.call("POST", "/api/v1/tasks/job/trigger", { payload: {} }, header);
    expect(second.json).toEqual({ ...Object(first.json), isCached: true });
  });

  test.each([
    ["30s", seconds(30)],
    ["12h", hours(12)],
    ["2d", days(2)],
    [undefined, days(30)],
    ["soon", days(30)],
  ])("with the ttl %s is free again after that time", async (ttl, ms) => {
    const first = await keyed("job", ttl);
    await worker.runNext();
    clock.advance(ms - 1);
    expect((await keyed("job", ttl)).id).toBe(first.id);
    clock.advance(1);
    expect((await keyed("job", ttl)).id).not.toBe(first.id);
  });

  test("is free again when its run has failed or expired", async () => {
    const failed = await keyed();
    await worker.fail(await worker.start(await worker.take()));
    const expired = await worker.trigger("job", { idempotencyKey: "k", ttl: "1s" });
    expect(expired).toMatchObject({ isCached: false });
    expect(expired.id).not.toBe(failed.id);
    clock.advance(seconds(1));
    expect((await keyed()).isCached).toBe(false);
  });

  test("is not freed by a canceled run", async () => {
    const { id } = await keyed();
    await worker.call("POST", `/api/v2/runs/${id}/cancel`);
    expect(await keyed()).toMatchObject({ id, isCached: true });
  });

  test("can be reset by hand", async () => {
    const { id } = await keyed();
    const reset = await worker.call("POST", "/api/v1/idempotencyKeys/k/reset", { taskIdentifier: "job" });
    expect(reset).toMatchObject({ status: 200, json: { id: "k" } });
    expect((await keyed()).id).not.toBe(id);
    const nothing = await worker.call("POST", "/api/v1/idempotencyKeys/unused/reset", {
      taskIdentifier: "job",
    });
    expect(nothing.status).toBe(404);
  });

  test("outlives a run that the server has forgotten", async () => {
    const { id } = await keyed();
    await worker.runNext();
    await worker.trigger("other");
    clock.advance(1);
    await worker.runNext();
    clock.advance(hours(1));
    expect((await worker.call("GET", `/api/v3/runs/${id}`)).status).toBe(404);
    expect(await keyed()).toMatchObject({ id, isCached: true });
  });
});

describe("a request that the SDK repeats because its answer was lost", () => {
  test("runs twice without an idempotency key, as on the real server, and once with one", async () => {
    const server = await serve();
    const worker = new Worker(server.url);
    const headers = { "x-trigger-request-idempotency-key": "0b9b5f6c-6f4e-4d0c-8f0e-5d8f3a2f7b0d" };
    const send = async (options = {}) => {
      const body = { payload: {}, options };
      return Object((await worker.call("POST", "/api/v1/tasks/job/trigger", body, headers)).json).id;
    };
    expect(await send()).not.toBe(await send());
    expect(await send({ idempotencyKey: "k" })).toBe(await send({ idempotencyKey: "k" }));
    await server.close();
  });
});

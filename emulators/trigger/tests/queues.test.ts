import { ListRunResponse } from "@trigger.dev/core/v3";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { serve, type TestServer } from "./helpers/serve.ts";
import { Worker } from "./helpers/worker.ts";

describe("a queue", () => {
  let server: TestServer;
  let worker: Worker;
  beforeEach(async () => {
    server = await serve({ limits: { concurrency: 4 } });
    worker = new Worker(server.url);
    await worker.register(
      [
        { id: "free" },
        { id: "one", queue: { concurrencyLimit: 1 } },
        { id: "shared", queue: { name: "pool" } },
      ],
      {
        queues: [{ name: "pool", concurrencyLimit: 2 }],
      },
    );
  });
  afterEach(() => server.close());

  /** Payloads in the order in which they start. A run of `free`, triggered last, shows that nothing else may start. */
  async function takeAll(): Promise<unknown[]> {
    await worker.trigger("free", {}, "end");
    const payloads: unknown[] = [];
    for (;;) {
      const { execution } = await worker.start(await worker.take());
      const payload: unknown = JSON.parse(execution.run.payload);
      if (payload === "end") return payloads;
      payloads.push(payload);
    }
  }

  test("lets as many runs execute as its limit says, first come first served", async () => {
    for (const n of [1, 2, 3]) await worker.trigger("shared", {}, n);
    expect(await takeAll()).toEqual([1, 2]);
  });

  test("gives its place to the next when a run ends", async () => {
    await worker.trigger("one", {}, 1);
    await worker.trigger("one", {}, 2);
    const first = await worker.start(await worker.take());
    await worker.succeed(first);
    expect((await worker.start(await worker.take())).execution.run.payload).toBe("2");
  });

  test("gives a place free when a run is asked to stop, before it has", async () => {
    const { id } = await worker.trigger("one", {}, 1);
    await worker.trigger("one", {}, 2);
    await worker.start(await worker.take());
    await worker.call("POST", `/api/v2/runs/${id}/cancel`);
    expect((await worker.start(await worker.take())).execution.run.payload).toBe("2");
  });

  test("has a separate line, with the same limit, for each concurrency key", async () => {
    for (const key of ["a", "a", "b"]) await worker.trigger("one", { concurrencyKey: key }, key);
    expect(await takeAll()).toEqual(["a", "b"]);
  });

  test("can be chosen at the trigger", async () => {
    for (const n of [1, 2, 3]) await worker.trigger("free", { queue: { name: "pool" } }, n);
    expect(await takeAll()).toEqual([1, 2]);
  });

  test("starts runs of higher priority first", async () => {
    await worker.trigger("one", {}, "blocks");
    const first = await worker.start(await worker.take());
    await worker.trigger("one", {}, "normal");
    await worker.trigger("one", { priority: 10 }, "urgent");
    await worker.succeed(first);
    const next = await worker.start(await worker.take());
    expect(next.execution.run.payload).toBe('"urgent"');
    expect(next.execution.run.priority).toBe(10);
  });

  test("holds its runs while it is paused", async () => {
    const pool = "/api/v1/queues/pool";
    const paused = await worker.call("POST", `${pool}/pause`, { type: "custom", action: "pause" });
    expect(paused.json).toMatchObject({ name: "pool", paused: true, queued: 0 });
    await worker.trigger("shared", {}, 1);
    expect(await takeAll()).toEqual([]);
    expect((await worker.call("GET", `${pool}?type=custom`)).json).toMatchObject({ queued: 1, running: 0 });
    await worker.call("POST", `${pool}/pause`, { type: "custom", action: "resume" });
    expect((await worker.start(await worker.take())).execution.run.payload).toBe("1");
  });

  test("may get another limit by the API, which a new version does not undo", async () => {
    const path = `/api/v1/queues/${encodeURIComponent("one")}/concurrency`;
    const changed = await worker.call("POST", `${path}/override`, { type: "task", concurrencyLimit: 2 });
    expect(changed.json).toMatchObject({ concurrencyLimit: 2, concurrency: { base: 1, override: 2 } });
    await worker.register([{ id: "free" }, { id: "one", queue: { concurrencyLimit: 1 } }]);
    for (const n of [1, 2, 3]) await worker.trigger("one", {}, n);
    expect(await takeAll()).toEqual([1, 2]);
  });

  test("shares the limit of the environment with all others", async () => {
    for (const n of [1, 2, 3, 4, 5]) await worker.trigger("free", {}, n);
    for (let i = 0; i < 4; i += 1) await worker.take();
    const waiting = await listed("QUEUED");
    expect(waiting).toHaveLength(1);
    const [one] = await listed("DEQUEUED");
    const poll = worker.dequeue();
    await worker.call("POST", `/api/v2/runs/${one}/cancel`);
    expect(await poll).toMatchObject({ run: waiting[0] });
  });

  async function listed(status: string): Promise<string[]> {
    const { json } = await worker.call("GET", `/api/v1/runs?filter[status]=${status}`);
    return ListRunResponse.parse(json).data.map(({ id }) => id);
  }
});

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { ConcurrencyLimitItem, QueueItem } from "@trigger.dev/core/v3";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { serve, type TestServer } from "./helpers/serve.ts";
import { Worker } from "./helpers/worker.ts";

const provider = { name: "provider", total: 3 };
const tenant = { name: "tenant", perKey: 1 };
const tasks = [
  { id: "free" },
  { id: "live", concurrency: { limits: ["provider"] } },
  { id: "bulk", concurrency: { inline: { total: 2 }, limits: ["provider"] } },
  { id: "keyed", concurrency: { inline: { perKey: 1, total: 2 } } },
  { id: "of-tenant", concurrency: { limits: ["tenant"] } },
  { id: "also-of-tenant", concurrency: { limits: ["tenant"] } },
  { id: "lax", concurrency: { limits: ["never-declared"] } },
];
const declared = { concurrencyLimits: [provider, tenant] };

let server: TestServer;
let worker: Worker;
beforeEach(async () => {
  server = await serve({ limits: { concurrency: 20 } });
  worker = new Worker(server.url);
  await worker.register(tasks, declared);
});
afterEach(() => server.close());

const start = (task: string, payload: unknown, options = {}) => worker.trigger(task, options, payload);

/** Payloads in the order in which they start. A run of `free`, triggered last, shows that nothing else may start. */
async function takeAll(): Promise<unknown[]> {
  await start("free", "end");
  const payloads: unknown[] = [];
  for (;;) {
    const { execution } = await worker.start(await worker.take());
    const payload: unknown = JSON.parse(execution.run.payload);
    if (payload === "end") return payloads;
    payloads.push(payload);
  }
}

describe("a concurrency limit", () => {
  test("is shared by its tasks, of which one may have its own lower total", async () => {
    for (const n of [1, 2, 3]) await start("bulk", `bulk ${n}`);
    for (const n of [1, 2]) await start("live", `live ${n}`);
    expect(await takeAll()).toEqual(["bulk 1", "bulk 2", "live 1"]);
  });

  test("gives its place to whoever waits longest when a run ends", async () => {
    for (const n of [1, 2, 3, 4]) await start("live", `live ${n}`);
    await start("bulk", "bulk 1");
    const [first, second] = [
      await worker.start(await worker.take()),
      await worker.start(await worker.take()),
    ];
    await worker.take();
    await worker.succeed(first);
    await worker.succeed(second);
    expect(await takeAll()).toEqual(["live 4", "bulk 1"]);
  });

  test("that is full holds back only those that share it", async () => {
    for (const n of [1, 2, 3, 4]) await start("live", `live ${n}`);
    await start("keyed", "keyed");
    expect(await takeAll()).toEqual(["live 1", "live 2", "live 3", "keyed"]);
  });

  test("bounds each key, those without one together, and all of them", async () => {
    for (const key of ["a", "a", "b", "c"]) await start("keyed", key, { concurrencyKey: key });
    expect(await takeAll()).toEqual(["a", "b"]);
  });

  test("counts runs without a key as one pool", async () => {
    for (const n of [1, 2]) await start("keyed", n);
    await start("keyed", "a", { concurrencyKey: "a" });
    expect(await takeAll()).toEqual([1, "a"]);
  });

  test("bounds a key over all tasks that share it", async () => {
    await start("of-tenant", "of a", { concurrencyKey: "a" });
    await start("also-of-tenant", "also of a", { concurrencyKey: "a" });
    await start("also-of-tenant", "of b", { concurrencyKey: "b" });
    expect(await takeAll()).toEqual(["of a", "of b"]);
  });

  test("that is named at the trigger replaces the task's named ones, not its own", async () => {
    for (const n of [1, 2, 3]) await start("bulk", `bulk ${n}`, { concurrency: [] });
    for (const n of [1, 2, 3]) await start("live", `live ${n}`);
    await start("free", "free", { concurrency: ["provider"] });
    expect(await takeAll()).toEqual(["bulk 1", "bulk 2", "live 1", "live 2", "live 3"]);
  });

  test("that nobody has declared bounds nothing", async () => {
    for (const n of [1, 2, 3, 4]) await start("lax", n);
    expect(await takeAll()).toEqual([1, 2, 3, 4]);
  });

  test("holds its places while a run waits, and gives them back when it is asked to stop", async () => {
    for (const n of [1, 2, 3]) await start("bulk", n);
    const first = await worker.start(await worker.take());
    await worker.take();
    await start("free", "child", { parentRunId: first.run, resumeParentOnCompletion: true });
    expect(await takeAll()).toEqual(["child"]);
    await worker.call("POST", `/api/v2/runs/${first.run}/cancel`);
    expect(await takeAll()).toEqual([3]);
  });

  test("counts for runs that were triggered before their task was known", async () => {
    for (const n of [1, 2]) await start("later", n);
    expect(await takeAll()).toEqual([]);
    await worker.register([...tasks, { id: "later", concurrency: { inline: { total: 1 } } }], declared);
    expect(await takeAll()).toEqual([1]);
  });

  test("is what the newest version declares", async () => {
    await worker.register(
      tasks.map(({ id }) => ({ id, ...(id === "live" && { concurrency: { limits: ["provider"] } }) })),
      { concurrencyLimits: [{ ...provider, total: 1 }] },
    );
    for (const n of [1, 2]) await start("live", `live ${n}`);
    for (const n of [1, 2, 3]) await start("bulk", `bulk ${n}`);
    expect(await takeAll()).toEqual(["live 1", "bulk 1", "bulk 2", "bulk 3"]);
  });
});

test("a restart forgets no limit and no place that is taken", async () => {
  const dataDir = await mkdtemp(path.join(tmpdir(), "local-trigger-limits-"));
  await server.close();
  server = await serve({ dataDir, limits: { concurrency: 20 } });
  worker = new Worker(server.url);
  await worker.register(tasks, declared);
  for (const n of [1, 2, 3, 4]) await start("live", n);
  await worker.start(await worker.take());
  await server.close();
  server = await serve({ dataDir, limits: { concurrency: 20 } });
  worker = new Worker(server.url);
  expect(await takeAll()).toEqual([2, 3]);
  await rm(dataDir, { recursive: true, force: true });
});

describe("by the API a limit", () => {
  const api = "/api/v1/concurrency-limits";
  const limit = async (method: string, rest: string, body?: unknown) =>
    ConcurrencyLimitItem.parse((await worker.call(method, `${api}/${rest}`, body)).json);

  test("is found by its name, a task's own by the task's, with its bounds and counts", async () => {
    for (const n of [1, 2, 3, 4]) await start("live", n);
    await worker.take();
    expect(await limit("GET", "provider")).toMatchObject({
      name: "provider",
      total: { current: 3, base: 3, override: null },
      perKey: { current: null, base: null },
      running: 1,
      queued: 3,
      paused: false,
    });
    expect(await limit("GET", "task%2Fkeyed")).toMatchObject({
      perKey: { current: 1 },
      total: { current: 2 },
    });
    const { data, pagination } = Object((await worker.call("GET", api)).json);
    expect(data.map(({ name }: { name: string }) => name)).toEqual([
      "never-declared",
      "provider",
      "task/bulk",
      "task/keyed",
      "tenant",
    ]);
    expect(pagination).toEqual({ currentPage: 1, totalPages: 1, count: 5 });
    expect((await worker.call("GET", `${api}/unknown`)).status).toBe(404);
  });

  test("is overridden, which a new version does not undo, and reset", async () => {
    const overridden = await limit("POST", "provider/override", { total: 1 });
    expect(overridden.total).toMatchObject({ current: 1, base: 3, override: 1 });
    await worker.register([...tasks, { id: "one-more" }], declared);
    for (const n of [1, 2]) await start("live", n);
    expect(await takeAll()).toEqual([1]);
    expect((await limit("POST", "provider/reset", {})).total).toMatchObject({ current: 3, override: null });
    expect(await takeAll()).toEqual([2]);
  });

  test("is paused and resumed", async () => {
    expect(await limit("POST", "provider/pause", { action: "pause" })).toMatchObject({ paused: true });
    await start("live", 1);
    expect(await takeAll()).toEqual([]);
    await limit("POST", "provider/pause", { action: "resume" });
    expect(await takeAll()).toEqual([1]);
  });

  test("is not overridden for one key, which this server says", async () => {
    const body = { concurrencyKey: "a", perKey: 2 };
    expect((await worker.call("POST", `${api}/task%2Fkeyed/override`, body)).status).toBe(422);
  });

  test("of a task leaves its queue without one", async () => {
    const path = "/api/v1/queues/keyed";
    const queue = QueueItem.parse((await worker.call("GET", `${path}?type=task`)).json);
    expect(queue).toMatchObject({ version: "V2", concurrencyLimit: null });
    const override = { type: "task", concurrencyLimit: 5 };
    expect((await worker.call("POST", `${path}/concurrency/override`, override)).status).toBe(422);
  });
});

describe("a version is refused", () => {
  test.each([
    [
      "a queue's limit and a task's own",
      [{ id: "t", queue: { concurrencyLimit: 1 }, concurrency: { inline: { total: 1 } } }],
      {},
    ],
    ["a queue's name that begins like a limit's", [{ id: "t" }], { queues: [{ name: "limit/x" }] }],
    ["a limit's name with a slash", [{ id: "t" }], { concurrencyLimits: [{ name: "a/b", total: 1 }] }],
    [
      "its own limit and two names on a shared queue",
      [{ id: "t", queue: { name: "q" }, concurrency: { inline: { total: 1 }, limits: ["a", "b"] } }],
      {},
    ],
  ])("with %s", async (_, refused, extra) => {
    const metadata = {
      packageVersion: "4.8.3",
      contentHash: "refused",
      tasks: refused.map((task) => ({ filePath: "t.ts", ...task })),
      ...extra,
    };
    const at = "/api/v1/projects/proj_test/background-workers";
    expect((await worker.call("POST", at, { localOnly: true, metadata })).status).toBe(422);
  });
});

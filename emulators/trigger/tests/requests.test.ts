import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { until } from "../../../tests/helpers/until.ts";
import { ACCESS_TOKEN, SECRET_KEY, serve, type TestServer } from "./helpers/serve.ts";
import { Worker } from "./helpers/worker.ts";

let server: TestServer;
let worker: Worker;
beforeAll(async () => {
  server = await serve();
  worker = new Worker(server.url);
  await worker.register([{ id: "job" }]);
});
afterAll(() => server.close());

describe("a request", () => {
  const as = (key: string) => ({ authorization: `Bearer ${key}` });

  test.each([
    ["GET", "/api/v2/whoami", ACCESS_TOKEN],
    ["GET", "/api/v1/projects/any_project/dev", ACCESS_TOKEN],
    ["GET", "/engine/v1/dev/config", SECRET_KEY],
    ["GET", "/api/v1/projects/any_project/envvars", SECRET_KEY],
    ["GET", "/api/v1/runs", SECRET_KEY],
    ["GET", "/api/v1/queues", SECRET_KEY],
  ])("%s %s needs its key", async (method, path, key) => {
    expect((await worker.call(method, path, undefined, as(key))).status).toBe(200);
    for (const other of [
      "",
      "tr_dev_other",
      "undefined",
      key === SECRET_KEY ? "tr_pat_other" : `${SECRET_KEY}x`,
    ])
      expect(await worker.call(method, path, undefined, as(other))).toMatchObject({
        status: 401,
        json: { error: "Invalid API key" },
      });
  });

  test("that changes something is refused when a page of another site sends it", async () => {
    const send = (origin?: string) =>
      worker.call(
        "POST",
        "/api/v1/tasks/job/trigger",
        { payload: 1 },
        origin === undefined ? {} : { origin },
      );
    expect((await send("https://example.com")).status).toBe(403);
    expect((await send("null")).status).toBe(403);
    expect((await send(server.url)).status).toBe(200);
    const answer = await send();
    expect(answer.status).toBe(200);
    expect(answer.headers.get("access-control-allow-origin")).toBeNull();
  });

  test("to trigger is checked", async () => {
    const path = "/api/v1/tasks/job/trigger";
    expect(await worker.call("POST", path, "{")).toMatchObject({
      status: 400,
      json: { error: "Invalid JSON" },
    });
    expect(await worker.call("POST", path, { options: { maxAttempts: "many" } })).toMatchObject({
      status: 400,
      json: {
        error: 'Validation error: Invalid input: expected number, received string at "options.maxAttempts"',
      },
    });
    expect((await worker.trigger("job", { tags: "x".repeat(129) })).json).toEqual({
      error: 'Validation error: Tags must be less than 128 characters at "options.tags"',
    });
    expect(await worker.trigger("job", { tags: Array.from({ length: 11 }, String) })).toMatchObject({
      status: 422,
      json: { error: "Runs can only have 10 tags, you're trying to set 11." },
    });
    expect(await worker.trigger("job", { metadata: "no object" })).toMatchObject({ status: 400 });
    expect(await worker.trigger("job", { metadata: { text: "x".repeat(256 * 1024) } })).toMatchObject({
      status: 413,
    });
    expect(await worker.trigger("job", { lockToVersion: "20000101.1" })).toMatchObject({ status: 422 });
    expect(await worker.trigger("job", { debounce: { key: "d", delay: "soon" } })).toMatchObject({
      status: 422,
    });
    expect(await worker.trigger("job", {}, "x".repeat(3 * 1024 * 1024))).toMatchObject({
      status: 413,
      json: { error: "Request body too large" },
    });
  });

  test("of unstated length is too large", async () => {
    const body = new ReadableStream({
      start(controller) {
        controller.enqueue(new TextEncoder().encode("{}"));
        controller.close();
      },
    });
    const headers = { authorization: `Bearer ${SECRET_KEY}` };
    const init = { method: "POST", headers, body, duplex: "half" };
    expect((await fetch(`${server.url}/api/v1/tasks/job/trigger`, init)).status).toBe(413);
  });

  test("is read as JSON whatever its content type says", async () => {
    const text = { "content-type": "text/plain;charset=UTF-8" };
    expect((await worker.call("POST", "/api/v1/tasks/job/trigger", { payload: 1 }, text)).status).toBe(200);
  });

  test("for an unknown run is answered 404, with the advice to ask again", async () => {
    const answer = await worker.call("GET", "/api/v3/runs/run_unknown");
    expect(answer).toMatchObject({ status: 404, json: { error: "Not found" } });
    expect(answer.headers.get("x-should-retry")).toBe("true");
    expect((await worker.call("POST", "/api/v2/runs/run_unknown/cancel")).status).toBe(404);
    expect((await worker.call("GET", "/engine/v1/dev/runs/run_unknown/snapshots/latest")).status).toBe(401);
  });

  test("may name a task with slashes", async () => {
    const { id } = await worker.trigger("reports/daily");
    expect((await worker.retrieve(id)).taskIdentifier).toBe("reports/daily");
  });
});

describe("a version", () => {
  test("is the same as long as the content is, and counted up within the day", async () => {
    const first = await worker.register([{ id: "a" }]);
    expect(await worker.register([{ id: "a" }])).toEqual(first);
    const second = await worker.register([{ id: "b" }]);
    const [day, count] = first.version.split(".");
    expect(second.version).toBe(`${day}.${Number(count) + 1}`);
  });

  test("has no run taken by a client that has not heard of it yet, which would fail it", async () => {
    await worker.register([{ id: "a" }]);
    const { id } = await worker.trigger("comes-later");
    const poll = worker.dequeue();
    await until(async () => (await worker.retrieve(id)).status === "PENDING_VERSION");
    await worker.register([{ id: "a" }, { id: "comes-later" }]);
    expect(await poll).toBeUndefined();
    expect(await worker.take()).toMatchObject({ run: id });
  });

  test("with two tasks of one id is refused", async () => {
    const tasks = [{ id: "twice" }, { id: "twice" }].map((task) => ({ filePath: "t.ts", ...task }));
    const metadata = { packageVersion: "4.8.3", contentHash: "x", tasks };
    const path = "/api/v1/projects/proj_test/background-workers";
    expect(await worker.call("POST", path, { localOnly: true, metadata })).toMatchObject({
      status: 422,
      json: { error: "Duplicate task ids found: twice" },
    });
  });
});

describe("a list of runs", () => {
  test("comes in pages, newest first, and can be filtered", async () => {
    const ids: string[] = [];
    for (const n of [1, 2, 3, 4, 5])
      ids.unshift((await worker.trigger("listed", { tags: n % 2 ? "odd" : "even" })).id);
    const list = async (query: string) => {
      const { data, pagination } = Object(
        (await worker.call("GET", `/api/v1/runs?filter[taskIdentifier]=listed&${query}`)).json,
      );
      return { ids: data.map(({ id }: { id: string }) => id), ...pagination };
    };
    expect((await list("")).ids).toEqual(ids);
    expect((await list("filter[tag]=odd,none")).ids).toEqual([ids[0], ids[2], ids[4]]);
    expect((await list("filter[status]=COMPLETED")).ids).toEqual([]);
    expect((await list("filter[createdAt][period]=1h")).ids).toEqual(ids);
    expect((await list(`filter[createdAt][to]=${Date.now() - 3_600_000}`)).ids).toEqual([]);
    const first = await list("page[size]=2");
    expect(first).toEqual({ ids: ids.slice(0, 2), next: ids[1] });
    const second = await list(`page[size]=2&page[after]=${first.next}`);
    expect(second).toEqual({ ids: ids.slice(2, 4), next: ids[3], previous: ids[2] });
    expect((await list(`page[size]=2&page[before]=${second.previous}`)).ids).toEqual(ids.slice(0, 2));
    expect((await worker.call("GET", "/api/v1/runs?filter[status]=DONE")).status).toBe(400);
  });
});

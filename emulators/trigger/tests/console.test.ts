import { openPages, textOf } from "@aftercommit/local-console/tests/open-pages.ts";
import { configure, runs, tasks } from "@trigger.dev/sdk";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runPages } from "../console/pages.tsx";
import { SECRET_KEY, serve } from "./helpers/serve.ts";
import { builtInError, Worker } from "./helpers/worker.ts";

async function startStack() {
  const server = await serve();
  configure({ baseURL: server.url, accessToken: SECRET_KEY });
  const site = await openPages([runPages(server.trigger)]);
  return {
    ...site,
    worker: new Worker(server.url),
    async close() {
      configure({});
      await site.close();
      await server.close();
    },
  };
}

let stack: Awaited<ReturnType<typeof startStack>>;
beforeAll(async () => {
  stack = await startStack();
  await stack.worker.register([
    { id: "embed", retry: { maxAttempts: 2 } },
    { id: "clean-up" },
    { id: "parent" },
  ]);
});
afterAll(() => stack.close());

/** Triggers a run with the SDK and dequeues it, with nothing in between. */
async function execute(task: string, payload: unknown, options: Parameters<typeof tasks.trigger>[2] = {}) {
  const { id } = await tasks.trigger(task, payload, options);
  const held = await stack.worker.start(await stack.worker.take());
  expect(held.run).toBe(id);
  return held;
}

const page = async (path: string) => textOf((await stack.get(path)).html);

describe("the page of a run", () => {
  test("shows task, status, payload, output, tags, keys and attempts", async () => {
    const held = await execute(
      "embed",
      { postId: 7 },
      { tags: ["post:7"], idempotencyKey: "change-7", ttl: "2h", metadata: { step: "reading" } },
    );
    await stack.worker.succeed(held, { status: "embedded", chunks: 1 });
    const text = await page(`/runs/${held.run}`);
    for (const shown of [
      held.run,
      "embed",
      "Completed",
      '"postId": 7',
      '"status": "embedded"',
      "post:7",
      "change-7",
      "2h",
      '"step": "reading"',
      "task/embed",
      "Attempt 1 Succeeded",
    ])
      expect(text).toContain(shown);
    expect(text).not.toContain("Cancel");
  });

  test("shows the error of a failed run with its stack, and each attempt's own", async () => {
    const held = await execute("embed", { postId: 8 });
    const error = {
      ...builtInError,
      name: "QuotaError",
      message: "no money",
      stackTrace: "QuotaError\n    at here",
    };
    await stack.worker.complete(held, { ok: false, error });
    const text = await page(`/runs/${held.run}`);
    expect(text).toContain("Failed");
    expect(text).toContain("QuotaError: no money");
    expect(text).toContain("at here");
    expect(text).toContain("Attempt 1 Failed");
  });

  test("opens at the addresses that trigger.dev dev prints and the dashboard has", async () => {
    const { id } = await tasks.trigger("clean-up", {});
    for (const path of [
      `/projects/v3/proj_local/runs/${id}`,
      `/projects/v3/any_ref/runs/${id}`,
      `/runs/${id}`,
    ])
      expect(await page(path)).toContain(id);
    expect(await page("/projects/v3/proj_local/runs?envSlug=dev")).toContain(id);
    await runs.cancel(id);
  });

  test("links to the parent, the children and the run that was replayed", async () => {
    const parent = await execute("parent", {});
    const { id: child } = await stack.worker.trigger("clean-up", { parentRunId: parent.run });
    expect((await stack.get(`/runs/${parent.run}`)).html).toContain(`href="/runs/${child}"`);
    expect((await stack.get(`/runs/${child}`)).html).toContain(`href="/runs/${parent.run}"`);
    const { location } = await stack.post(`/runs/${child}/replay`);
    expect((await stack.get(location ?? "")).html).toContain(`href="/runs/${child}"`);
    for (const run of [location?.replace("/runs/", "") ?? "", child]) await runs.cancel(run);
    await stack.worker.succeed(parent);
  });

  test("shows what the task logged", async () => {
    const held = await execute("clean-up", {});
    const attribute = (key: string, stringValue: string) => ({ key, value: { stringValue } });
    const record = {
      timeUnixNano: `${Date.now()}000000`,
      severityText: "WARN",
      body: { stringValue: "the crm is slow" },
      attributes: [attribute("system", "crm")],
    };
    const resource = { attributes: [attribute("$metadata.ctx.run.id", held.run)] };
    await stack.worker.call("POST", "/otel/v1/logs", {
      resourceLogs: [{ resource, scopeLogs: [{ logRecords: [record] }] }],
    });
    expect(await page(`/runs/${held.run}`)).toContain('warn the crm is slow {"system":"crm"}');
    await stack.worker.succeed(held);
  });

  test("says of a run that was canceled between two attempts neither that it runs nor how long it took", async () => {
    const held = await execute("embed", { postId: 8 });
    await stack.worker.fail(held, { delay: 60_000, timestamp: Date.now() + 60_000 });
    await runs.cancel(held.run);
    const text = await page(`/runs/${held.run}`);
    expect(text).toContain("Canceled");
    expect(text).not.toContain("running for");
    expect(text).not.toContain("Under way");
  });

  test("shows markup in payloads, outputs, tags and errors as text", async () => {
    const markup = '<script>alert("x")</script><img src=x onerror=alert(1)>';
    const held = await execute("clean-up", { markup }, { tags: [markup], metadata: { markup } });
    await stack.worker.succeed(held, { markup });
    const failing = await execute("clean-up", markup);
    await stack.worker.complete(failing, {
      ok: false,
      error: { ...builtInError, message: markup, stackTrace: markup },
    });
    for (const path of [
      `/runs/${held.run}`,
      `/runs/${failing.run}`,
      "/runs",
      `/runs?${new URLSearchParams({ tag: markup })}`,
    ]) {
      const { html } = await stack.get(path);
      expect(html).not.toContain("<script>alert");
      expect(html).not.toContain("<img");
    }
    expect(await page(`/runs/${failing.run}`)).toContain(markup);
  });

  test("answers 404 for a run that does not exist", async () => {
    expect((await stack.get("/runs/run_unknown")).status).toBe(404);
    expect((await stack.post("/runs/run_unknown/replay")).status).toBe(404);
    expect((await stack.post("/runs/run_unknown/cancel")).status).toBe(404);
  });
});

describe("its buttons", () => {
  test("replay makes a new run of the same payload and leads to it", async () => {
    const failed = await execute("embed", { postId: 9 }, { tags: ["post:9"] });
    await stack.worker.complete(failed, { ok: false, error: builtInError });
    const { status, location } = await stack.post(`/runs/${failed.run}/replay`);
    expect(status).toBe(303);
    expect(location).toMatch(/^\/runs\/run_/);
    const again = await stack.worker.start(await stack.worker.take());
    expect(location).toBe(`/runs/${again.run}`);
    expect(again.run).not.toBe(failed.run);
    expect((await stack.worker.retrieve(again.run)).payload).toEqual({ postId: 9 });
    await stack.worker.succeed(again);
    expect(await page(location ?? "")).toContain("Completed");
  });

  test("cancel cancels a queued run immediately and asks an executing one to stop", async () => {
    const { id } = await tasks.trigger("clean-up", {});
    expect(await stack.post(`/runs/${id}/cancel`)).toMatchObject({ status: 303 });
    expect((await stack.worker.retrieve(id)).status).toBe("CANCELED");

    const held = await execute("clean-up", {});
    const { location } = await stack.post(`/runs/${held.run}/cancel`);
    expect(await page(location ?? "")).toContain("Asked to cancel");
    expect((await stack.worker.latest(held.run)).snapshot.executionStatus).toBe("PENDING_CANCEL");
  });
});

describe("the list of runs", () => {
  const listed = async (path: string) => [
    ...new Set((await stack.get(path)).html.match(/(?<=href="\/runs\/)run_\w+/g) ?? []),
  ];

  test("shows the newest first and filters by task, status and tag", async () => {
    const done = await execute("clean-up", {}, { tags: ["list:1"] });
    await stack.worker.succeed(done);
    const failed = await execute("parent", {}, { tags: ["list:1"] });
    await stack.worker.complete(failed, { ok: false, error: builtInError });
    expect((await listed("/runs")).slice(0, 2)).toEqual([failed.run, done.run]);
    expect(await listed("/runs?tag=list:1")).toEqual([failed.run, done.run]);
    expect(await listed("/runs?tag=list:1&task=clean-up")).toEqual([done.run]);
    expect(await listed("/runs?tag=list:1&status=FAILED")).toEqual([failed.run]);
    expect(await listed("/runs?tag=list:1&status=&task=")).toEqual([failed.run, done.run]);
    expect(await listed("/runs?tag=list:2")).toEqual([]);
  });

  test.each(["task=embed", "status=FAILED", "tag=list:1"])(
    "filtered by %s has a link to the whole",
    async (filter) => {
      expect((await stack.get(`/runs?${filter}`)).html).toContain('<a href="/runs">Clear</a>');
      expect((await stack.get("/runs?task=&status=&tag=")).html).not.toContain("Clear");
    },
  );

  test("has pages of 50 that lead to each other and keep the filter", async () => {
    const ids: string[] = [];
    for (let count = 0; count < 60; count += 1)
      ids.unshift((await tasks.trigger("parent", {}, { tags: ["many"], delay: "1h" })).id);
    const first = await stack.get("/runs?tag=many");
    expect(await listed("/runs?tag=many")).toEqual(ids.slice(0, 50));
    const older = /href="([^"]+)">Older/.exec(first.html)?.[1]?.replaceAll("&amp;", "&") ?? "";
    expect(await listed(older)).toEqual(ids.slice(50));
    const newer =
      /href="([^"]+)">← Newer/.exec((await stack.get(older)).html)?.[1]?.replaceAll("&amp;", "&") ?? "";
    expect(await listed(newer)).toEqual(ids.slice(0, 50));
  });
});

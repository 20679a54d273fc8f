import { request } from "node:http";
import { type OpenPages, openPages, textOf } from "@aftercommit/local-console/tests/open-pages.ts";
import { tasks } from "@trigger.dev/sdk";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { pagesOf } from "../starters.ts";
import { type ConsoleStack, startConsoleStack } from "./console-stack.ts";

let stack: ConsoleStack;
let run: string;
beforeAll(async () => {
  stack = await startConsoleStack();
  await stack.worker.register([{ id: "task" }]);
  run = (await tasks.trigger("task", {})).id;
});
afterAll(() => stack.close());

const statusFor = (host: string) =>
  new Promise<number | undefined>((resolve, reject) => {
    request(`${stack.url}/runs/${run}`, { headers: { host } }, (response) => {
      response.resume();
      resolve(response.statusCode);
    })
      .on("error", reject)
      .end();
  });

describe("a change", () => {
  test.each([
    ["from another site", () => ({ origin: "https://example.com" })],
    ["from another port of this machine", () => ({ origin: "http://127.0.0.1:1" })],
    ["from a page without an origin", () => ({ origin: "null" })],
    ["that names no origin", () => ({})],
    ["that the browser calls cross-site", () => ({ origin: stack.url, "sec-fetch-site": "cross-site" })],
    ["that the browser calls same-site", () => ({ origin: stack.url, "sec-fetch-site": "same-site" })],
  ])("%s is refused", async (_, headers) => {
    for (const path of [
      `/runs/${run}/cancel`,
      `/runs/${run}/replay`,
      "/deliveries/backfill",
      "/deliveries/1/redeliver",
    ])
      expect((await stack.post(path, {}, headers())).status).toBe(403);
    expect((await stack.worker.retrieve(run)).status).toBe("QUEUED");
  });

  test("from the console's own page is taken", async () => {
    const headers = { origin: stack.url, "sec-fetch-site": "same-origin" };
    expect((await stack.post(`/runs/${run}/cancel`, {}, headers)).status).toBe(303);
    expect((await stack.worker.retrieve(run)).status).toBe("CANCELED");
  });

  test("is not made by a GET", async () => {
    for (const path of [`/runs/${run}/replay`, "/deliveries/backfill"])
      expect((await stack.get(path)).html).not.toContain("run_");
    expect((await stack.get(`/runs/${run}/replay`)).status).toBe(404);
  });
});

describe("a page", () => {
  test("is shown to a browser that names loopback, and to no other name for this machine", async () => {
    const { port } = new URL(stack.url);
    expect(await statusFor(`127.0.0.1:${port}`)).toBe(200);
    expect(await statusFor(`localhost:${port}`)).toBe(200);
    expect(await statusFor(`rebound.example.com:${port}`)).toBe(403);
  });

  test("runs its own script and style only, cannot be framed and is not kept", async () => {
    const { headers, html } = await stack.get("/runs");
    const policy = headers.get("content-security-policy") ?? "";
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toContain("unsafe");
    expect(headers.get("x-content-type-options")).toBe("nosniff");
    expect(headers.get("cache-control")).toBe("no-store");
    expect(headers.get("access-control-allow-origin")).toBeNull();
    const files = [...html.matchAll(/(?:src|href)="(\/console\/[^"]+)"/g)].map(([, path]) => path ?? "");
    expect(files).toHaveLength(4);
    for (const path of files) expect((await stack.get(path)).status).toBe(200);
    expect(html).not.toMatch(/ style=| on[a-z]+=/);
  });

  test("is not put before the API: an unknown API address stays a 404 for programs", async () => {
    const { status, html } = await stack.get("/api/v1/nothing");
    expect(status).toBe(404);
    expect(html).not.toContain("<html");
  });
});

describe("a stack without some parts", () => {
  let alone: OpenPages;
  beforeAll(async () => {
    alone = await openPages(pagesOf(new Map(), { parts: [], variables: {} }));
  });
  afterAll(() => alone.close());

  test.each([
    "/runs",
    "/runs/run_x",
    "/projects/v3/p/runs/run_x",
    "/deliveries",
    "/deliveries/1",
    "/mails",
    "/external-system",
  ])("says on %s that the part is not running here", async (path) => {
    const { status, html } = await alone.get(path);
    expect(status).toBe(200);
    expect(textOf(html)).toContain("Not running here");
  });

  test("has an overview that says so of each", async () => {
    expect(textOf((await alone.get("/")).html).match(/Not running here/g)).toHaveLength(5);
  });

  test("leads to no place that has nothing to show", async () => {
    const { html } = await alone.get("/");
    const places = /<nav class="places".*?<\/nav>/s.exec(html)?.[0] ?? "";
    expect([...places.matchAll(/href="([^"]+)"/g)].map(([, path]) => path)).toEqual(["/"]);
  });
});

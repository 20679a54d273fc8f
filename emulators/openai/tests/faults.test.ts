import { request } from "node:http";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { until } from "../../../tests/helpers/until.ts";
import { startOpenAI } from "../start.ts";
import { serveApp } from "./serve.ts";

const lines: string[] = [];
let part: Awaited<ReturnType<typeof startOpenAI>>;
let site: Awaited<ReturnType<typeof serveApp>>;

beforeAll(async () => {
  part = await startOpenAI({ model: "hashing", log: (line) => lines.push(line) });
  site = await serveApp(part.app);
});

afterAll(async () => {
  await site.close();
  await part.close();
});

beforeEach(async () => {
  await fetch(`${site.url}/local/openai/faults`, { method: "DELETE" });
  lines.length = 0;
});

const setFault = (fault: unknown, headers: Record<string, string> = {}) =>
  fetch(`${site.url}/local/openai/faults`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(fault),
  });

const embed = (input: string | string[] = "a", maxRetries = 0) =>
  site.client
    .withOptions({ maxRetries })
    .embeddings.create({ model: "text-embedding-3-small", input })
    .then(({ data }) => data.length);

describe("a fault", () => {
  it.each([
    [{ status: 429 }, { status: 429, type: "requests", code: "rate_limit_exceeded" }],
    [
      { status: 429, code: "insufficient_quota" },
      { status: 429, type: "insufficient_quota", code: "insufficient_quota" },
    ],
    [{ status: 401 }, { status: 401, type: "invalid_request_error", code: "invalid_api_key" }],
    [{ status: 400 }, { status: 400, type: "invalid_request_error", code: null }],
    [{ status: 500 }, { status: 500, type: "server_error", code: null }],
    [{ status: 503 }, { status: 503, type: "server_error", code: null }],
  ])("of %j reaches the SDK as OpenAI's error", async (fault, error) => {
    await setFault(fault);
    await expect(embed()).rejects.toMatchObject(error);
  });

  it("tells how long to wait, in both of OpenAI's headers", async () => {
    await setFault({ status: 429, retryAfterMs: 1_500 });
    const error = await embed().catch((error: unknown) => error);
    expect(error).toMatchObject({ headers: expect.any(Headers) });
    expect(Reflect.get(Object(error), "headers").get("retry-after-ms")).toBe("1500");
    expect(Reflect.get(Object(error), "headers").get("retry-after")).toBe("2");
  });

  it("meets as many calls as it says, so that the SDK's own retries get past it", async () => {
    await setFault({ status: 429, retryAfterMs: 5, times: 2 });
    expect(await embed("a", 2)).toBe(1);
    expect(lines).toEqual([
      expect.stringMatching(/^answered 429 rate_limit_exceeded in \d+ ms$/),
      expect.stringMatching(/^answered 429 rate_limit_exceeded in \d+ ms$/),
      expect.stringMatching(/^embedded 1 input, 1 token in \d+ ms$/),
    ]);
  });

  it("holds without a number until it is cleared", async () => {
    await setFault({ status: 503 });
    for (let call = 0; call < 3; call++) await expect(embed()).rejects.toMatchObject({ status: 503 });
    await fetch(`${site.url}/local/openai/faults`, { method: "DELETE" });
    expect(await embed()).toBe(1);
  });

  it("can be slowness alone", async () => {
    await setFault({ delayMs: 120, times: 1 });
    const started = performance.now();
    expect(await embed()).toBe(1);
    expect(performance.now() - started).toBeGreaterThanOrEqual(119);
  });

  it("refuses the requests with a text in one of their inputs, and no others", async () => {
    await setFault({ containing: "poison" });
    await expect(embed(["good", "some poison"])).rejects.toMatchObject({
      status: 400,
      type: "invalid_request_error",
      param: null,
      message: expect.not.stringMatching(/input\[/),
    });
    expect(await embed(["good", "better"])).toBe(2);
  });

  it("may name the input that it refuses", async () => {
    await setFault({ containing: "poison", named: true });
    await expect(embed(["good", "some poison"])).rejects.toMatchObject({ status: 400, param: "input[1]" });
  });

  it("is not used up by requests that it does not refuse", async () => {
    await setFault({ containing: "poison", times: 1 });
    expect(await embed("good")).toBe(1);
    await expect(embed("poison")).rejects.toMatchObject({ status: 400 });
    expect(await embed("poison")).toBe(1);
  });

  it("with a status fails only the requests that contain a text, if it names one", async () => {
    await setFault({ containing: "poison", status: 500 });
    await expect(embed(["good", "some poison"])).rejects.toMatchObject({ status: 500 });
    expect(await embed("good")).toBe(1);
  });

  it("that waits ends when the part is closed", async () => {
    const own = await startOpenAI({ model: "hashing", log: () => {} });
    let calls = 0;
    const ownSite = await serveApp({
      fetch(request) {
        if (request.url.endsWith("/v1/embeddings")) calls += 1;
        return own.app.fetch(request);
      },
    });
    const body = JSON.stringify({ delayMs: 600_000 });
    await fetch(`${ownSite.url}/local/openai/faults`, { method: "POST", body });
    const call = ownSite.client.embeddings.create({ model: "text-embedding-3-small", input: "a" });
    const ended = expect(call).rejects.toMatchObject({ status: 500 });
    await until(() => calls === 1, { what: "the call to arrive" });
    await own.close();
    await ended;
    await ownSite.close();
  });

  it.each([
    {},
    { status: 200 },
    { status: "429" },
    { times: 2 },
    { code: "insufficient_quota" },
    { status: 429, retryAfterMs: -1 },
    { status: 429, retries: 1 },
    { containing: "" },
    { delayMs: 1, named: true },
    { body: "no" },
    { spoils: "nothing" },
    "429",
  ])("of the form %j is refused, and nothing changes", async (fault) => {
    const answer = await setFault(fault);
    expect(answer.status).toBe(400);
    expect(await answer.json()).toEqual({ error: expect.any(String) });
    expect(await embed()).toBe(1);
  });
});

describe("the counters", () => {
  const stats = async () => (await fetch(`${site.url}/local/openai/stats`)).json();

  it("count calls, inputs, tokens and failures, and name the last calls", async () => {
    const before = await stats();
    await embed(["hello", "hello world"]);
    await setFault({ status: 500, times: 1 });
    await embed().catch(() => undefined);
    const after = await stats();
    expect(after).toMatchObject({
      calls: before.calls + 2,
      inputs: before.inputs + 2,
      tokens: before.tokens + 3,
      failures: before.failures + 1,
    });
    expect(after.last.slice(0, 2)).toEqual([
      { at: expect.any(String), status: 500, inputs: 0, tokens: 0, milliseconds: expect.any(Number) },
      { at: expect.any(String), status: 200, inputs: 2, tokens: 3, milliseconds: expect.any(Number) },
    ]);
  });

  it("keep no more than the last 20 calls", async () => {
    for (let call = 0; call < 22; call++) await embed();
    expect((await stats()).last).toHaveLength(20);
  });
});

describe("a page of another site", () => {
  const post = (origin: string) =>
    new Promise<number | undefined>((resolve, reject) => {
      const headers = { origin, "content-type": "text/plain" };
      request(`${site.url}/local/openai/faults`, { method: "POST", headers }, (answer) => {
        answer.resume();
        resolve(answer.statusCode);
      })
        .on("error", reject)
        .end(JSON.stringify({ status: 500 }));
    });

  it("cannot set a fault", async () => {
    expect(await post("https://example.com")).toBe(403);
    expect(await post("http://127.0.0.1:1")).toBe(403);
    expect(await post("null")).toBe(403);
    expect(await embed()).toBe(1);
  });

  it("differs from a page of the same server, which can", async () => {
    expect(await post(site.url)).toBe(200);
    await expect(embed()).rejects.toMatchObject({ status: 500 });
  });
});

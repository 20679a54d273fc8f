import { APIError } from "openai";
import { afterEach, expect, it } from "vitest";
import { ApiError } from "../api-error.ts";
import { createRateLimits, type RateLimits } from "../rate-limits.ts";
import { startOpenAI } from "../start.ts";
import { serveApp } from "./serve.ts";

const model = "text-embedding-3-small";

function refusalOf(take: () => void): ApiError {
  try {
    take();
  } catch (error) {
    if (error instanceof ApiError) return error;
    throw error;
  }
  throw new Error("The request was taken");
}

it("a minute's tokens can be used in one request, and refill continuously", () => {
  let now = 0;
  const limits = createRateLimits({ tokensPerMinute: 60_000 }, () => now);
  limits.take(model, 60_000);
  const refused = refusalOf(() => limits.take(model, 1_500));
  expect(refused).toMatchObject({
    status: 429,
    body: { type: "tokens", code: "rate_limit_exceeded", param: null },
    headers: { "retry-after-ms": "1500", "retry-after": "2" },
  });
  now = 1_499;
  refusalOf(() => limits.take(model, 1_500));
  now = 1_500;
  limits.take(model, 1_500);
});

it("the bucket holds no more than a minute's tokens", () => {
  let now = 0;
  const limits = createRateLimits({ tokensPerMinute: 1_000 }, () => now);
  now = 3_600_000;
  limits.take(model, 1_000);
  refusalOf(() => limits.take(model, 1));
});

it("a request that is refused for its tokens counts as a request, and takes no tokens", () => {
  const limits = createRateLimits({ tokensPerMinute: 1_000, requestsPerMinute: 3 }, () => 0);
  limits.take(model, 900);
  refusalOf(() => limits.take(model, 200));
  limits.take(model, 100);
  expect(refusalOf(() => limits.take(model, 0)).body).toMatchObject({ type: "requests" });
});

it("a request of more than a minute's tokens is told no time to wait", () => {
  const limits = createRateLimits({ tokensPerMinute: 1_000 }, () => 0);
  const { message, headers } = refusalOf(() => limits.take(model, 1_001));
  expect(message).toContain("Request too large");
  expect(headers).toEqual({});
});

it.each([
  [17, "17ms"],
  [1_000, "1s"],
  [1_250, "1.25s"],
  [60_000, "1m0s"],
])("a bucket that is full again in %d ms says %s", (milliseconds, said) => {
  const limits = createRateLimits({ tokensPerMinute: 60_000 }, () => 0);
  limits.take(model, milliseconds);
  expect(limits.headers()["x-ratelimit-reset-tokens"]).toBe(said);
});

it("a bucket of which nothing is left holds what has come back since", () => {
  let now = 0;
  const limits = createRateLimits({ tokensPerMinute: 60_000, requestsPerMinute: 10 }, () => now);
  limits.leaveTokens(0);
  refusalOf(() => limits.take(model, 1));
  now = 10;
  limits.take(model, 10);
  expect(limits.headers()["x-ratelimit-remaining-requests"]).toBe("8");
  limits.leaveTokens(500);
  expect(limits.headers()["x-ratelimit-remaining-tokens"]).toBe("500");
});

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

async function clientOf(limits: RateLimits) {
  const part = await startOpenAI({ model: "hashing", log: () => {}, limits });
  const site = await serveApp(part.app);
  closers.push(site.close, part.close);
  return site.client;
}

it("each answer of the endpoint says how the limits stand", async () => {
  const client = await clientOf({ tokensPerMinute: 1_000_000, requestsPerMinute: 3_000 });
  const { response } = await client.embeddings.create({ model, input: "hello world" }).withResponse();
  const header = (name: string) => response.headers.get(`x-ratelimit-${name}`);
  expect(header("limit-requests")).toBe("3000");
  // The bucket refills while the answer is made.
  expect(Number(header("remaining-requests"))).toBeGreaterThanOrEqual(2_999);
  expect(header("limit-tokens")).toBe("1000000");
  expect(Number(header("remaining-tokens"))).toBeGreaterThanOrEqual(999_998);
  expect(header("reset-tokens")).toMatch(/^\d+ms$/);
});

it("an endpoint without limits says nothing of them", async () => {
  const client = await clientOf({});
  const { response } = await client.embeddings.create({ model, input: "a" }).withResponse();
  expect([...response.headers.keys()].filter((name) => name.startsWith("x-ratelimit"))).toEqual([]);
});

it("the SDK is refused over the limit with the time to wait, and gets through after it", async () => {
  const client = await clientOf({ tokensPerMinute: 6_000 });
  await client.embeddings.create({ model, input: " a".repeat(6_000) });
  // Two seconds' worth.
  const input = " a".repeat(200);
  const error: unknown = await client.embeddings.create({ model, input }).catch((error) => error);
  if (!(error instanceof APIError)) throw error;
  expect(error).toMatchObject({ status: 429, code: "rate_limit_exceeded", type: "tokens" });
  expect(Number(error.headers?.get("retry-after-ms"))).toBeGreaterThan(0);
  expect(error.headers?.get("x-ratelimit-limit-tokens")).toBe("6000");
  const patient = client.withOptions({ maxRetries: 5 });
  expect((await patient.embeddings.create({ model, input })).data).toHaveLength(1);
});

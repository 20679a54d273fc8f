import { sql } from "drizzle-orm";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { MODEL } from "@/tests/helpers/embedding.ts";
import { databaseForTests } from "@/tests/helpers/posts-database.ts";
import {
  limitRate,
  refuse,
  strictProviderForTests,
  vectorOf,
} from "@/tests/helpers/providers/strict-provider.ts";
import { type Ask, askProvider } from "./ask-provider.ts";
import { RateLimitedError, SpendCapError } from "./errors.ts";
import { openai } from "./openai.ts";

const database = databaseForTests(MODEL);
const provider = strictProviderForTests();

const ask = (set: Partial<Ask> = {}, tokens = 10) =>
  askProvider([{ text: "text", tokens }], {
    db: database.db,
    model: MODEL,
    provider: openai(),
    purpose: "passage",
    priority: false,
    ...set,
  });

type Bucket = { tokens: number; requests: number; blocked: boolean | null };

async function bucket(): Promise<Bucket | undefined> {
  const { rows } = await database.db.execute<Bucket>(
    sql`select tokens, requests, blocked_until > now() as blocked from aftercommit.rate_limits`,
  );
  return rows[0];
}

const fill = (tokens: number) =>
  database.db.execute(sql`insert into aftercommit.rate_limits (name, tokens, requests)
    values (${MODEL.name}, ${tokens}, 600) on conflict (name) do update set tokens = excluded.tokens,
      requests = excluded.requests, updated_at = clock_timestamp()`);

const usage = async () => (await database.db.execute(sql`select calls, tokens from aftercommit.usage`)).rows;

beforeEach(async () => {
  await database.db.execute(sql`truncate aftercommit.rate_limits, aftercommit.usage`);
  vi.spyOn(console, "warn").mockImplementation(() => {});
});
afterEach(() => void vi.restoreAllMocks());

describe("a request", () => {
  it("returns a vector for each text and the cost, and is counted", async () => {
    expect(await ask()).toEqual({
      outcomes: [{ vector: Float32Array.from(vectorOf("text")) }],
      tokens: 1,
    });
    expect(await usage()).toEqual([{ calls: 1, tokens: "1" }]);
  });

  it("that cannot be counted keeps its vectors all the same", async () => {
    await database.db.execute(sql`alter table aftercommit.usage rename to usage_elsewhere`);
    try {
      expect((await ask()).outcomes).toHaveLength(1);
    } finally {
      await database.db.execute(sql`alter table aftercommit.usage_elsewhere rename to usage`);
    }
    expect(vi.mocked(console.warn).mock.calls.flat().join()).toContain("embedding.usage_not_counted");
  });

  it("corrects the bucket to what the provider says is left of its limits", async () => {
    provider.headers = { "x-ratelimit-remaining-tokens": "1234", "x-ratelimit-remaining-requests": "56" };
    await ask();
    expect(await bucket()).toMatchObject({ tokens: 1_234, requests: 56 });
  });

  it("waits a moment for the limits, and is then sent", async () => {
    await fill(25_000);
    const asked = ask();
    await expect.poll(async () => (await bucket())?.tokens).toBeGreaterThan(25_000);
    await fill(1_000_000);
    await asked;
    expect(provider.requests).toHaveLength(1);
  });

  it("is not sent if the limits need more than a few seconds: the error says when", async () => {
    await fill(-500_000);
    const before = Date.now();
    const error = await ask().catch((error: unknown) => error);
    if (!(error instanceof RateLimitedError)) throw error;
    expect(error.retryAt).toBeGreaterThan(before + 10_000);
    expect(provider.requests).toEqual([]);
  });

  it("that fails costs nothing: its tokens go back into the bucket, and it is not counted", async () => {
    await fill(500_000);
    provider.rule = () => refuse("no");
    await expect(ask({}, 400_000)).rejects.toMatchObject({ status: 400 });
    expect((await bucket())?.tokens).toBeGreaterThanOrEqual(500_000);
    expect(provider.requests).toHaveLength(1);
    expect(await usage()).toEqual([]);
  });
});

describe("a request that the provider answers with 429", () => {
  it("is sent again after a moment, within the same attempt", async () => {
    let refusals = 2;
    provider.rule = () => (refusals-- > 0 ? limitRate({ "retry-after-ms": "100" }) : undefined);
    expect((await ask()).outcomes).toHaveLength(1);
    expect(provider.requests).toHaveLength(3);
    expect(await usage()).toMatchObject([{ calls: 1 }]);
  });

  it("again and again is left for later, and a search is not sent again", async () => {
    provider.rule = () => limitRate({ "retry-after-ms": "1" });
    await expect(ask()).rejects.toThrow(RateLimitedError);
    expect(provider.requests).toHaveLength(5);
    await expect(ask({ purpose: "query", priority: true })).rejects.toThrow(RateLimitedError);
    expect(provider.requests).toHaveLength(6);
  });

  it("that asks for a longer wait is recorded for every process, priority included, before it fails", async () => {
    provider.rule = () => limitRate({ "retry-after": "30" });
    await expect(ask()).rejects.toThrow(RateLimitedError);
    expect(await bucket()).toMatchObject({ blocked: true });
    await expect(ask({ priority: true })).rejects.toThrow(RateLimitedError);
    expect(provider.requests).toHaveLength(1);
  });

  it("that asks for a day is retried after five minutes", async () => {
    provider.rule = () => limitRate({ "retry-after": "86400" });
    const error = await ask().catch((error: unknown) => error);
    if (!(error instanceof RateLimitedError)) throw error;
    expect(error.retryAt).toBeLessThanOrEqual(Date.now() + 300_000);
  });

  it("because the quota is exhausted does not wait", async () => {
    provider.rule = () => (_, response) => {
      response.writeHead(429, { "content-type": "application/json", "retry-after-ms": "1" });
      response.end('{"error":{"message":"No quota","type":"insufficient_quota","code":null}}');
    };
    await expect(ask()).rejects.toMatchObject({ status: 429 });
    expect(provider.requests).toHaveLength(1);
    expect(await bucket()).toMatchObject({ blocked: null });
  });
});

describe("with EMBEDDING_TOKENS_PER_DAY", () => {
  beforeEach(() => vi.stubEnv("EMBEDDING_TOKENS_PER_DAY", "25"));
  afterEach(() => vi.unstubAllEnvs());
  const spent = async () =>
    Number(
      (
        await database.db.execute<{ tokens: string }>(
          sql`select sum(tokens) as tokens from aftercommit.usage`,
        )
      ).rows[0]?.tokens ?? 0,
    );

  it("no request is sent that could cost more than is left of the day, by whatever model", async () => {
    await database.db.execute(
      sql`insert into aftercommit.usage values ((now() at time zone 'utc')::date, 'another', 3, 16)`,
    );
    const sent = provider.requests.length;
    await expect(ask({ priority: true }, 10)).rejects.toThrow(SpendCapError);
    expect(provider.requests.length).toBe(sent);
    // A request that fits is sent, and only its cost is counted: one token.
    await ask({}, 9);
    expect(await spent()).toBe(17);
  });

  it("of ten simultaneous requests, only those with enough tokens are sent", async () => {
    const sent = provider.requests.length;
    provider.rule = () => refuse("not this one");
    const results = await Promise.allSettled(Array.from({ length: 10 }, () => ask({}, 10)));
    expect(provider.requests.length - sent).toBeLessThanOrEqual(10);
    expect(results.every(({ status }) => status === "rejected")).toBe(true);
    // What failed cost nothing.
    expect(await spent()).toBe(0);
  });

  it("yesterday's tokens do not count", async () => {
    await database.db.execute(
      sql`insert into aftercommit.usage values ((now() at time zone 'utc')::date - 1, ${MODEL.name}, 3, 1000)`,
    );
    await expect(ask({}, 20)).resolves.toMatchObject({ tokens: 1 });
  });
});

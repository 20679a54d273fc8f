import { sql } from "drizzle-orm";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { embeddingBudget } from "../../drizzle/embedding-tables.ts";
import { correctBudget, takeFromBudget } from "../../drizzle/queries/embeddings/budget.ts";
import { embeddingUsage } from "../../drizzle/schema.ts";
import { type Ask, askProvider, BudgetError } from "../../lib/embeddings/ask-provider.ts";
import { classifyError } from "../../lib/embeddings/classify-error.ts";
import { embedTexts } from "../../lib/embeddings/provider.ts";
import { FIRST_MODEL } from "../postgres-template.ts";
import { databaseForTests } from "./database.ts";
import { limitRate, refuse, strictProviderForTests, vectorOf } from "./strict-provider.ts";

const model = { ...FIRST_MODEL, dimensions: 8 };
const database = databaseForTests(model);
const provider = strictProviderForTests();

const limits = { tokensPerMinute: 600_000, requestsPerMinute: 600 };
const take = (tokens: number, urgent: boolean) =>
  takeFromBudget(database.db, { model: model.name, tokens, urgent, limits });

const input = { text: "text", tokens: 10 };
const soon = () => Date.now() + 60_000;
const ask = (set: Partial<Ask> = {}) =>
  askProvider([input], {
    db: database.db,
    model,
    embed: embedTexts,
    urgent: false,
    deadline: soon(),
    ...set,
  });

async function bucket() {
  const [row] = await database.db.select().from(embeddingBudget);
  return row;
}

/** Sets the bucket as it was a moment ago, or `agoSeconds`. */
const fill = (tokens: number, requests: number, agoSeconds = 0) =>
  database.db.execute(sql`insert into embedding_budget (model, tokens, requests, updated_at)
    values (${model.name}, ${tokens}, ${requests}, now() - ${agoSeconds}::float8 * interval '1 second')
    on conflict (model) do update set tokens = excluded.tokens, requests = excluded.requests,
      updated_at = excluded.updated_at, blocked_until = null`);

beforeEach(async () => {
  await database.db.delete(embeddingBudget);
  await database.db.delete(embeddingUsage);
});
afterEach(() => vi.restoreAllMocks());

describe("the bucket of tokens and requests", () => {
  it("is full at first, and what is taken is gone", async () => {
    expect(await take(100_000, false)).toBe(0);
    const left = await bucket();
    expect(left?.tokens).toBeCloseTo(500_000, -4);
    expect(left?.requests).toBeCloseTo(599, -1);
  });

  it("fills as time goes by, and not over its edge", async () => {
    await fill(0, 300, 6);
    expect(await take(1, true)).toBe(0);
    // A tenth of a minute: a tenth of the tokens, and a little for the time that the test took.
    expect((await bucket())?.tokens).toBeGreaterThanOrEqual(59_999);
    await fill(600_000, 600, 3_600);
    expect(await take(0, true)).toBe(0);
    expect((await bucket())?.tokens).toBe(600_000);
  });

  it.each([
    ["tokens", 20_000, 600],
    ["requests", 600_000, 20],
  ])("has bulk wait where %s are scarce, and leaves the reserve", async (_, tokens, requests) => {
    await fill(tokens, requests);
    expect(await take(10_000, false)).toBeGreaterThan(0);
    const left = await bucket();
    expect(left?.tokens).toBeGreaterThanOrEqual(tokens);
    expect(left?.requests).toBeGreaterThanOrEqual(requests);
  });

  it("says how long bulk has to wait until there is enough beside the reserve", async () => {
    await fill(20_000, 600);
    // 10,000 wanted and 30,000 of reserve: 20,000 are missing, 2 s at 10,000 a second.
    const wait = await take(10_000, false);
    expect(wait).toBeGreaterThan(0);
    expect(wait).toBeLessThanOrEqual(2_000);
    // What had come in before the question shortened the wait.
    await fill(20_000, 600, 2);
    expect(await take(10_000, false)).toBe(0);
  });

  it("never has an edit wait, however empty it is, and bulk then waits for longer", async () => {
    await fill(0, 0);
    for (let edit = 0; edit < 5; edit += 1) expect(await take(50_000, true)).toBe(0);
    expect((await bucket())?.tokens).toBeLessThan(0);
    expect(await take(1, false)).toBeGreaterThan(10_000);
  });

  it("has an edit wait only while the provider has asked everybody to", async () => {
    await take(1, true);
    await correctBudget(database.db, model.name, { waitMs: 60_000 });
    expect(await take(1, true)).toBeGreaterThan(30_000);
    await database.db.update(embeddingBudget).set({ blockedUntil: sql`now() - interval '1 second'` });
    expect(await take(1, true)).toBe(0);
  });

  it("gives a request that is larger than itself when it is full, for every limit", async () => {
    for (const tokensPerMinute of [1, 7, 30, 333, 1_000, 99_999, 1_000_001, 3_333_333]) {
      const small = { tokensPerMinute, requestsPerMinute: 1 };
      const name = `limit ${tokensPerMinute}`;
      const taken = await takeFromBudget(database.db, {
        model: name,
        tokens: 4e6,
        urgent: false,
        limits: small,
      });
      expect([tokensPerMinute, taken]).toEqual([tokensPerMinute, 0]);
    }
  });

  it("gives no more than it holds to many who ask at once", async () => {
    await fill(630_000, 600);
    const waits = await Promise.all(Array.from({ length: 20 }, () => take(57_000, false)));
    // 570,000 beside the reserve; what flowed in meanwhile may be enough for a few more on a slow machine.
    const taken = waits.filter((wait) => wait === 0).length;
    expect(taken).toBeGreaterThanOrEqual(10);
    expect((await bucket())?.tokens).toBeGreaterThanOrEqual(30_000);
  });

  it("is corrected by what the provider says of its own, downwards only", async () => {
    provider.headers = { "x-ratelimit-remaining-tokens": "1234", "x-ratelimit-remaining-requests": "56" };
    await ask();
    expect(await bucket()).toMatchObject({ tokens: 1_234, requests: 56 });
    await fill(500, 5);
    await correctBudget(database.db, model.name, { tokens: 9_999, requests: 99 });
    expect(await bucket()).toMatchObject({ tokens: 500, requests: 5 });
  });
});

describe("a request", () => {
  it("answers a vector for each text and what they cost, and is counted", async () => {
    expect(await ask()).toEqual({ vectors: [Float32Array.from(vectorOf("text"))], tokens: 1 });
    expect(await database.db.select().from(embeddingUsage)).toMatchObject([{ calls: 1, tokens: 1 }]);
  });

  it("that cannot be counted keeps its vectors all the same", async () => {
    const warned = vi.spyOn(console, "warn").mockImplementation(() => {});
    await database.db.execute(sql`alter table embedding_usage rename to usage_elsewhere`);
    try {
      expect((await ask()).vectors).toHaveLength(1);
    } finally {
      await database.db.execute(sql`alter table usage_elsewhere rename to embedding_usage`);
    }
    expect(warned.mock.calls.flat().join()).toContain("embedding.usage_not_counted");
  });

  it("that finds no room before its deadline is not made, and its run tries again", async () => {
    await fill(0, 0);
    await take(600_000, true);
    const error = await ask({ deadline: Date.now() }).catch((error: unknown) => error);
    expect(error).toBeInstanceOf(BudgetError);
    expect(classifyError(error, new Date())).toEqual({ kind: "retry" });
    expect(provider.requests).toEqual([]);
  });

  it("waits for room, and is made as soon as there is", async () => {
    await fill(0, 600);
    const asked = ask();
    await expect.poll(async () => (await bucket())?.tokens).toBeGreaterThan(0);
    expect(provider.requests).toEqual([]);
    await fill(600_000, 600);
    await asked;
    expect(provider.requests).toHaveLength(1);
  });
});

describe("a request that the provider answers with 429", () => {
  beforeEach(() => void vi.spyOn(console, "warn").mockImplementation(() => {}));

  it("is made again after as long as it says, within the same attempt", async () => {
    let refusals = 2;
    provider.rule = () => (refusals-- > 0 ? limitRate({ "retry-after-ms": "100" }) : undefined);
    expect((await ask()).vectors).toHaveLength(1);
    expect(provider.requests).toHaveLength(3);
    expect(await database.db.select().from(embeddingUsage)).toMatchObject([{ calls: 1 }]);
  });

  it("has all others wait as well, edits too", async () => {
    let refuseOne = true;
    provider.rule = () => {
      if (!refuseOne) return undefined;
      refuseOne = false;
      return limitRate({ "retry-after-ms": "30000" });
    };
    const asked = ask();
    await expect.poll(async () => (await bucket())?.blockedUntil).toBeTruthy();
    const other = ask({ urgent: true, deadline: Date.now() + 1_000 });
    await expect(other).rejects.toThrow(BudgetError);
    expect(provider.requests).toHaveLength(1);
    await database.db.update(embeddingBudget).set({ blockedUntil: null });
    expect((await asked).vectors).toHaveLength(1);
  });

  it("and a wait beyond its deadline ends the attempt with what it said", async () => {
    provider.rule = () => limitRate({ "retry-after": "3600" });
    const now = new Date();
    const error = await ask().catch((error: unknown) => error);
    expect(classifyError(error, now)).toEqual({ kind: "retryAt", at: new Date(now.getTime() + 3_600_000) });
    expect(provider.requests).toHaveLength(1);
  });

  it("because the quota is exhausted is not waited for", async () => {
    provider.rule = () => (request, response) => {
      response.writeHead(429, { "content-type": "application/json", "retry-after-ms": "1" });
      response.end(
        JSON.stringify({ error: { message: "No quota", type: "insufficient_quota", code: null } }),
      );
      void request;
    };
    await expect(ask()).rejects.toMatchObject({ status: 429 });
    expect(provider.requests).toHaveLength(1);
  });
});

it("a request that is refused costs no other than itself", async () => {
  provider.rule = () => refuse("no");
  await expect(ask()).rejects.toMatchObject({ status: 400 });
  expect(provider.requests).toHaveLength(1);
  expect(await database.db.select().from(embeddingUsage)).toEqual([]);
});

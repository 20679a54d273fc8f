import { setTimeout as sleep } from "node:timers/promises";
import { sql } from "drizzle-orm";
import { Client } from "pg";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { posts } from "@/aftercommit.config.ts";
import { GET } from "@/app/api/search/route.ts";
import { FIRST_MODEL } from "@/tests/helpers/postgres-template.ts";
import { searchForTests } from "@/tests/helpers/searchable-posts.ts";
import { embedOne } from "../embeddings/embed-one.ts";
import { limitsOf } from "../providers/limits.ts";
import { openai } from "../providers/openai.ts";
import { acquire } from "../providers/rate-limiter.ts";
import { DEADLINE_MS } from "./connection.ts";
import { search } from "./search.ts";
import { SearchUnavailableError } from "./unavailable.ts";

const { insertEmbedded, insert, database, provider } = searchForTests();
const KEY = "k".repeat(32);
const QUERIES = 500;

beforeEach(async () => {
  vi.spyOn(console, "error").mockImplementation(() => {});
  await database.db.execute(sql`truncate aftercommit.rate_limits`);
});
afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

it("hundreds of random queries by one key use half of the limits, and posts are embedded", {
  timeout: 120_000,
}, async () => {
  vi.stubEnv("SEARCH_API_KEYS", KEY);
  vi.stubEnv("EMBEDDING_REQUESTS_PER_MINUTE", "200");
  const startedAt = Date.now();
  const { calls } = await provider.stats();
  const counts = new Map<number, number>();
  let asked = 0;
  const ask = async () => {
    while (asked < QUERIES) {
      asked += 1;
      const url = `http://localhost/api/search?mode=meaning&q=${Math.random()}`;
      const { status } = await GET(new Request(url, { headers: { authorization: `Bearer ${KEY}` } }));
      counts.set(status, (counts.get(status) ?? 0) + 1);
    }
  };
  await Promise.all([ask(), ask(), ask(), ask()]);
  const minutes = (Date.now() - startedAt) / 60_000;
  const searched = (await provider.stats()).calls - calls;
  const found = counts.get(200) ?? 0;
  expect(found).toBeGreaterThan(50);
  expect(searched).toBeLessThanOrEqual(100 + 100 * minutes);
  // On a slow machine, a search may meet its deadline after the provider has answered.
  expect(found).toBeLessThanOrEqual(searched);
  expect(counts.get(503)).toBe(QUERIES - found);
  // A backfill, which waits for edits, has what it needs as well.
  const limits = limitsOf(openai());
  expect(
    await acquire(database.db, { name: FIRST_MODEL.name, tokens: 10, requests: 50, priority: false, limits }),
  ).toBe(0);
  const id = await insert({ body: "Bread." });
  expect((await embedOne(posts, id, { db: database.db })).chunks).toBe(1);
});

it("a search beyond the rate goes on by words and says so", async () => {
  const id = await insertEmbedded({ body: "Bread with flour." });
  await database.db.execute(sql`
    insert into aftercommit.rate_limits (name, tokens, requests) values (${`${FIRST_MODEL.name} search`}, 0, 0)`);
  expect(await search(posts, { query: `flour ${Math.random()}` })).toMatchObject({
    results: [{ id, matched: ["words"] }],
    degraded: "There are too many searches by meaning now; try again in a moment",
  });
});

it("searches use half of the tokens of a day, and posts the rest", async () => {
  vi.stubEnv("EMBEDDING_TOKENS_PER_DAY", "40");
  const ask = () => search(posts, { query: `flour ${Math.random()}`, mode: "meaning" });
  const settled: PromiseSettledResult<unknown>[] = [];
  for (let n = 0; n < 12; n += 1) settled.push(...(await Promise.allSettled([ask()])));
  const failed = settled.filter(({ status }) => status === "rejected");
  expect(failed.length).toBeGreaterThan(0);
  expect(failed.length).toBeLessThan(12);
  const { rows } = await database.db.execute(sql`select tokens, searched from aftercommit.usage`);
  expect(rows[0]).toEqual({ tokens: rows[0]?.searched, searched: rows[0]?.tokens });
  const id = await insert({ title: "", body: "Bread." });
  expect((await embedOne(posts, id, { db: database.db })).chunks).toBe(1);
});

it("the same query at the same time is sent to the provider once", async () => {
  const { calls } = await provider.stats();
  await provider.fail({ delayMs: 200, times: 1 });
  const query = `flour ${Math.random()}`;
  await Promise.all(Array.from({ length: 20 }, () => search(posts, { query, mode: "meaning" })));
  expect((await provider.stats()).calls).toBe(calls + 1);
});

it("a search ends at its deadline, whichever of its statements is slow", { timeout: 60_000 }, async () => {
  await insertEmbedded({ body: "Bread with flour." });
  const client = new Client({ connectionString: process.env.DATABASE_URL });
  await client.connect();
  const statements: string[] = [];
  const searchWithin = (slowMs: number) => {
    statements.length = 0;
    const query = async (text: string, values: unknown[]) => {
      statements.push(text);
      if (/post_words/.test(text)) await sleep(slowMs);
      return client.query(text, values);
    };
    return search(posts, { query: "flour", mode: "words" }, { db: { query } });
  };
  expect((await searchWithin(0)).results).toHaveLength(1);
  const reading = () => statements.filter((text) => /post_words/.test(text)).length;
  const most = reading();
  await expect(searchWithin(DEADLINE_MS + 500)).rejects.toThrow(SearchUnavailableError);
  expect(reading()).toBeLessThan(most);
  expect((await client.query("select 1 as one")).rows).toEqual([{ one: 1 }]);
  await client.end();
});

import { sql } from "drizzle-orm";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { posts } from "@/aftercommit.config.ts";
import { idsOf, searchForTests } from "@/tests/helpers/searchable-posts.ts";
import type { EmbeddingDeclaration } from "../declare/declaration.ts";
import { embedOne } from "../embeddings/embed-one.ts";
import { search } from "./search.ts";

const { insertEmbedded, insert, database, provider } = searchForTests();

beforeEach(() => {
  for (const level of ["warn", "error"] as const) vi.spyOn(console, level).mockImplementation(() => {});
});
afterEach(() => vi.restoreAllMocks());

describe("a hybrid search", () => {
  it("finds rows by their words and by their meaning, and says by which", async () => {
    const id = await insertEmbedded({ title: "Baking", body: "Bread with flour." });
    const other = await insertEmbedded({ title: "Gardening", body: "Tulips beside a wall." });
    const { results } = await search(posts, { query: "bread flour" });
    expect(results).toMatchObject([
      { id, matched: ["words", "meaning"] },
      { id: other, matched: ["meaning"] },
    ]);
    expect(results[0]?.score).toBeLessThanOrEqual(1);
  });

  it("finds nothing for a query of unknown words, unless a row is near enough in meaning", async () => {
    const ids = [await insertEmbedded({ body: "Bread." }), await insertEmbedded({ body: "Tulips." })];
    for (const mode of ["hybrid", "meaning"] as const) {
      const found = async (query: string, declaration: EmbeddingDeclaration) =>
        idsOf(await search(declaration, { query, mode }));
      const nonsense = `xqzwv ${mode}`;
      expect(await found(nonsense, { ...posts, minScore: undefined })).toEqual([]);
      expect(await found(nonsense, { ...posts, minScore: 0.4 })).toEqual([]);
      expect((await found(nonsense, { ...posts, minScore: 0 })).toSorted()).toEqual(ids);
      expect((await found(`${nonsense} bread`, { ...posts, minScore: 1 })).toSorted()).toEqual(ids);
      const [near] = (await search({ ...posts, minScore: 0 }, { query: nonsense, mode: "meaning" })).results;
      expect(await found(nonsense, { ...posts, minScore: near?.score })).toContain(near?.id);
    }
  });

  it("gives a row the same score whatever the size of the page", async () => {
    for (let n = 0; n < 8; n += 1) await insertEmbedded({ body: `bread ${"other ".repeat(n)}` });
    const all = await search(posts, { query: "bread other", limit: 8 });
    const first = await search(posts, { query: "bread other", limit: 3 });
    const second = await search(posts, { query: "bread other", limit: 3, after: first.next ?? "" });
    expect([...first.results, ...second.results]).toEqual(all.results.slice(0, 6));
  });

  it("ranks a row whose vectors are out of date by its new words only", async () => {
    const id = await insertEmbedded({ body: "Bread with flour." });
    await provider.fail({ status: 500, times: 2 });
    await database.updatePost(BigInt(id), { body: "Tulips beside a wall." });
    await expect(embedOne(posts, id, { db: database.db })).rejects.toThrow();
    await database.db.execute(sql`update aftercommit.models set paused_until = null`);
    expect(idsOf(await search(posts, { query: "bread flour" }))).toEqual([]);
    expect((await search(posts, { query: "tulips" })).results).toMatchObject([{ id, matched: ["words"] }]);
    await database.db.execute(sql`update aftercommit.pending set next_attempt = now()`);
    await embedOne(posts, id, { db: database.db });
    expect((await search(posts, { query: "tulips" })).results).toMatchObject([
      { id, matched: ["words", "meaning"] },
    ]);
  });

  it("finds a post by its words while the provider refuses everything, and by its meaning afterwards", async () => {
    await provider.fail({ status: 500 });
    const id = await insert({ body: "Bread with flour." });
    await expect(embedOne(posts, id, { db: database.db })).rejects.toThrow();
    const page = await search(posts, { query: "flour of today" });
    expect(page).toMatchObject({
      results: [{ id, matched: ["words"] }],
      degraded: expect.stringContaining("provider"),
    });
    await provider.works();
    await database.db.execute(sql`update aftercommit.models set paused_until = null`);
    await database.db.execute(sql`update aftercommit.pending set next_attempt = now()`);
    await embedOne(posts, id, { db: database.db });
    const whole = await search(posts, { query: "flour of today" });
    expect(whole.results).toMatchObject([{ id, matched: ["words", "meaning"] }]);
    expect(whole).not.toHaveProperty("degraded");
  });

  it("goes on by words while the tokens of the day are used up, and says so", async () => {
    const id = await insertEmbedded({ body: "Bread with flour." });
    vi.stubEnv("EMBEDDING_TOKENS_PER_DAY", "1");
    try {
      const page = await search(posts, { query: "flour again" });
      expect(page).toMatchObject({
        results: [{ id, matched: ["words"] }],
        degraded: expect.stringContaining("EMBEDDING_TOKENS_PER_DAY"),
      });
    } finally {
      vi.unstubAllEnvs();
    }
  });

  it("answers before a provider that takes longer than its deadline", async () => {
    const id = await insertEmbedded({ body: "Bread with flour." });
    await provider.fail({ delayMs: 20_000, times: 1 });
    const { calls } = await provider.stats();
    const page = await search(posts, { query: "flour that takes time" });
    expect(page).toMatchObject({ results: [{ id }], degraded: expect.any(String) });
    expect((await provider.stats()).calls).toBe(calls);
  });
});

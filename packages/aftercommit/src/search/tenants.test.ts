import { sql } from "drizzle-orm";
import { afterEach, describe, expect, it, vi } from "vitest";
import { posts } from "@/aftercommit.config.ts";
import { idsOf, searchForTests } from "@/tests/helpers/searchable-posts.ts";
import { defineEmbedding } from "../define.ts";
import { searchRoute, similarRoute } from "../routes/search.ts";
import { InvalidSearchError, RowNotFoundError, type SearchOptions } from "./options.ts";
import { search } from "./search.ts";
import { similar } from "./similar.ts";

const { insertEmbedded, database } = searchForTests();

// The tenant's column is one of the filters without being listed.
const ofTenants = { ...posts, tenant: "author", filters: ["author", "created_at"] };
const jane = { author: "Jane" };
const KEY = "k".repeat(32);

afterEach(() => vi.unstubAllEnvs());

const QUERIES: SearchOptions[] = [
  ...["bread", "common bread", '"common bread"', "common -tulips", "bre*", "of no row"].flatMap((query) =>
    (["words", "meaning", "hybrid"] as const).map((mode) => ({ query, mode, where: jane })),
  ),
  { query: "common bread", where: { ...jane, created_at: { gte: "2020-01-01" } }, minScore: 0.05 },
];

/** Everything that a tenant gets, page after page. */
async function everythingOf(ids: readonly string[]): Promise<string> {
  const pages: unknown[] = [];
  for (const options of QUERIES)
    for (let after: string | null = ""; after !== null; ) {
      const page = await search(ofTenants, { ...options, limit: 2, ...(after && { after }) });
      pages.push(page);
      after = page.next;
    }
  for (const id of ids) pages.push(await similar(ofTenants, id, { where: jane, limit: 3 }));
  return JSON.stringify(pages, null, 1);
}

describe("a search of a table with tenants", () => {
  it("is byte for byte the same whatever rows another tenant has", { timeout: 60_000 }, async () => {
    const ids: string[] = [];
    for (const body of [
      "Common bread.",
      "Common tulips and bread, bread.",
      "A common wall.",
      "Bread twice: bread.",
    ])
      ids.push(await insertEmbedded({ ...jane, body, createdAt: new Date("2026-01-01") }));
    const alone = await everythingOf(ids);
    expect(alone).toContain("<mark>bread</mark>");
    for (let n = 0; n < 60; n += 1)
      await insertEmbedded({ author: "Bob", title: "Bread", body: `Common bread. ${"long ".repeat(n * 5)}` });
    expect(await everythingOf(ids)).toBe(alone);
    await database.db.execute(sql`analyze`);
    expect(await everythingOf(ids)).toBe(alone);
    expect(idsOf(await search(ofTenants, { query: "bread", where: { author: "Bob" } }))).toHaveLength(10);
  });

  it("does not tell whether a row of another tenant exists", async () => {
    const [own, bobs] = [await insertEmbedded(jane), await insertEmbedded({ author: "Bob" })];
    expect(idsOf(await similar(ofTenants, own, { where: jane }))).toEqual([]);
    const hidden = await similar(ofTenants, bobs, { where: jane }).catch((error: unknown) => error);
    expect(hidden).toBeInstanceOf(RowNotFoundError);
    expect(hidden).toHaveProperty("message", `id: there is no post ${bobs}`);
  });

  it.each([
    ["no tenant", {}],
    ["no conditions", undefined],
    ["null", { author: null }],
    ["several", { author: ["Jane", "Bob"] }],
    ["a list of one", { author: ["Jane"] }],
    ["all others", { author: { ne: "Jane" } }],
    ["a comparison", { author: { gte: "" } }],
  ])("is an error with %s", async (_, where) => {
    const message = "where.author: must be one value: the tenant to search for";
    const options = where && { where };
    await expect(search(ofTenants, { query: "bread", ...options })).rejects.toThrow(message);
    await expect(similar(ofTenants, "1", options)).rejects.toThrow(InvalidSearchError);
  });
});

describe("over HTTP", () => {
  const ask = async (query: string, { key = KEY, config = { posts: ofTenants } as object } = {}) => {
    vi.stubEnv("SEARCH_API_KEYS", `${KEY}@Jane,${"f".repeat(32)}`);
    const headers = { authorization: `Bearer ${key}` };
    const route = query.startsWith("id=") ? similarRoute(config) : searchRoute(config);
    const response = await route(new Request(`http://localhost/api/search?${query}`, { headers }));
    return { status: response.status, body: await response.json() };
  };

  it("a key that is bound to a tenant finds its rows, and answers 403 for those of another", async () => {
    const id = await insertEmbedded({ ...jane, body: "bread" });
    const bobs = await insertEmbedded({ author: "Bob", body: "bread" });
    for (const query of ["q=bread", "q=bread&where[author]=Jane"])
      expect(idsOf((await ask(query)).body)).toEqual([id]);
    for (const query of ["where[author]=Bob", "where[author][ne]=x", "where[author]=Jane&where[author]=Bob"])
      expect(await ask(`q=bread&${query}`)).toEqual({
        status: 403,
        body: { error: "where.author: this key is bound to another tenant" },
      });
    expect((await ask(`id=${id}`)).status).toBe(200);
    expect((await ask(`id=${bobs}`)).status).toBe(404);
    expect((await ask("q=bread", { config: { posts } })).status).toBe(403);
  });

  it("a key that is not bound must name a tenant", async () => {
    const key = "f".repeat(32);
    const bobs = await insertEmbedded({ author: "Bob", body: "bread" });
    expect((await ask("q=bread", { key })).status).toBe(400);
    expect(idsOf((await ask("q=bread&where[author]=Bob", { key })).body)).toEqual([bobs]);
  });
});

it("the tenant's column is one of the filters of a declaration", () => {
  const of = { row: "post", table: "public.posts", key: "id", text: ["title"], tenant: "author" } as const;
  expect(defineEmbedding({ ...of, filters: ["created_at", "author"] }).filters).toEqual([
    "author",
    "created_at",
  ]);
  expect(defineEmbedding(of).filters).toEqual(["author"]);
});

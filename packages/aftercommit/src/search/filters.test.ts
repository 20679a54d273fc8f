import { describe, expect, it } from "vitest";
import { posts } from "@/aftercommit.config.ts";
import { idsOf, searchForTests } from "@/tests/helpers/searchable-posts.ts";
import { InvalidSearchError, type SearchOptions } from "./options.ts";
import { search } from "./search.ts";

const { insertEmbedded, ask } = searchForTests();

const found = async (where: NonNullable<SearchOptions["where"]>) =>
  idsOf(await search(posts, { query: "words", where }));

describe("a search with conditions", () => {
  it("finds only the rows that meet all of them", async () => {
    const old = await insertEmbedded({ author: "Jane", createdAt: new Date("2025-05-01") });
    const recent = await insertEmbedded({ author: "Jane", createdAt: new Date("2026-05-01") });
    const others = await insertEmbedded({ author: "O'Neil", createdAt: new Date("2026-05-01") });
    expect(await found({ author: "Jane", created_at: { gte: "2026-01-01" } })).toEqual([recent]);
    expect(await found({ created_at: { gte: "2025-01-01", lt: new Date("2026-01-01") } })).toEqual([old]);
    expect(await found({ author: "O'Neil" })).toEqual([others]);
    expect(await found({ author: { ne: "Jane" } })).toEqual([others]);
    expect((await found({ author: ["Jane", "O'Neil"] })).toSorted()).toEqual([old, recent, others]);
    expect((await found({ author: { in: ["O'Neil", null] } })).toSorted()).toEqual([others]);
    expect(await found({ author: null })).toEqual([]);
    expect(await found({ author: "'; drop table posts; --" })).toEqual([]);
  });

  it("returns the same over HTTP", async () => {
    await insertEmbedded({ author: "Jane", createdAt: new Date("2025-05-01") });
    const recent = await insertEmbedded({ author: "Jane", createdAt: new Date("2026-05-01") });
    const other = await insertEmbedded({ author: "Bob", createdAt: new Date("2026-05-01") });
    const asked = async (query: string) => idsOf((await ask(`q=words&${query}`)).body);
    expect(await asked("where[author]=Jane&where[created_at][gte]=2026-01-01")).toEqual([recent]);
    expect(await asked("where[author][ne]=Jane")).toEqual([other]);
    expect(await asked("where[author]=Bob&where[author]=Carol")).toEqual([other]);
    expect(await asked("where[created_at][gte]=2025-01-01&where[created_at][lt]=2026-01-01")).toHaveLength(1);
  });

  it.each([
    ["where[title]=x", "where.title: is not a filter; there are author, created_at"],
    [
      "where[created_at]=yesterday+noon",
      'where: invalid input syntax for type timestamp with time zone: "yesterday noon"',
    ],
    [
      "where[author][like]=J",
      "where.author.like: is not an operator; there are eq, ne, gt, gte, lt, lte, in",
    ],
    ["after=x", "after: must be the `next` of a page"],
    ["minScore=2", "minScore: must be from 0 to 1"],
  ])("is answered 400 for %s", async (query, error) => {
    expect(await ask(`q=words&${query}`)).toEqual({ status: 400, body: { error } });
  });

  it("rejects with InvalidSearchError in code", async () => {
    await expect(found({ nothing: 1 })).rejects.toThrow(InvalidSearchError);
  });
});

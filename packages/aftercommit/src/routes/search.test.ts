import { sql } from "drizzle-orm";
import { afterEach, describe, expect, it, vi } from "vitest";
import { z } from "zod";
import { GET } from "@/app/api/search/route.ts";
import { searchForTests } from "@/tests/helpers/searchable-posts.ts";
import { passages } from "../embeddings/passages.ts";
import { split } from "../embeddings/split.ts";

const { database, provider, insertEmbedded } = searchForTests();
const { updatePost } = database;

const answerSchema = z.object({
  results: z.array(
    z.object({
      id: z.string(),
      columns: z.object({ title: z.string(), author: z.string() }),
      passage: z.string(),
      highlight: z.string(),
      matched: z.array(z.string()),
      score: z.number(),
    }),
  ),
});

const ask = (query: string) => GET(new Request(`http://localhost/api/search?mode=meaning&${query}`));

async function search(q: string, limit = 10) {
  const response = await ask(new URLSearchParams({ q, limit: String(limit) }).toString());
  expect(response.status).toBe(200);
  return answerSchema.parse(await response.json()).results;
}

const embeddedPost = (title: string, body: string) => insertEmbedded({ title, body });

const words = (word: string, count: number) =>
  Array.from({ length: count }, (_, n) => `${word}${n}`).join(" ");

afterEach(() => vi.unstubAllEnvs());

describe("a search by meaning", () => {
  it("returns the posts closest in meaning first, with the chunk that matched", async () => {
    const bread = await embeddedPost("Baking", "Flour, water, salt and a sourdough starter.");
    const garden = await embeddedPost("Gardening", "Tulips and roses bloom beside the wall.");
    const [first, second] = await search("sourdough starter flour");
    expect(first).toMatchObject({
      id: bread,
      columns: { title: "Baking", author: "Alice" },
      passage: "Baking\n\nFlour, water, salt and a sourdough starter.",
      score: expect.closeTo(first?.score ?? 0, 5),
    });
    expect(second?.id).toBe(garden);
    expect(first?.score).toBeGreaterThan(second?.score ?? 1);
    expect(first?.score).toBeLessThanOrEqual(1);
  });

  it("has each post once, with its best chunk", async () => {
    const body = [words("alpha", 400), words("beta", 400), words("gamma", 400)].join("\n\n");
    const chunks = split(`Long\n\n${body}`, 1_000);
    expect(chunks.length).toBeGreaterThan(2);
    const id = await embeddedPost("Long", body);
    const results = await search(words("gamma", 60));
    expect(results).toHaveLength(1);
    expect(results[0]).toMatchObject({ id, passage: chunks.at(-1)?.text.trim() });
  });

  it("looks past a long post whose chunks are all nearer than any other post", async () => {
    const long = await embeddedPost(
      "Long",
      Array.from({ length: 30 }, () => words("alpha", 300)).join("\n\n"),
    );
    const others = [await embeddedPost("One", "beta"), await embeddedPost("Two", "gamma")];
    const results = await search(words("alpha", 100), 3);
    expect(results).toHaveLength(3);
    expect(new Set(results.map(({ id }) => id))).toEqual(new Set([long, ...others]));
    expect(results[0]?.id).toBe(long);
  });

  it("uses only the vectors of the active model", async () => {
    const id = await embeddedPost("Old", "alpha beta gamma");
    await database.db.execute(sql`insert into aftercommit.models (name, dimensions, chunker, state, index_type)
      values ('another', 1536, 1, 'building', 'halfvec')`);
    const moveTo = (state: string) =>
      database.db.execute(sql`update post_embeddings set model_id =
        (select id from aftercommit.models where state = ${state})`);
    await moveTo("building");
    expect(await search("alpha beta gamma")).toEqual([]);
    await moveTo("active");
    expect((await search("alpha beta gamma"))[0]?.id).toBe(id);
    await database.db.execute(sql`delete from aftercommit.models where state = 'building'`);
  });

  it("shows nothing of a deleted row, although its vectors exist", async () => {
    const id = await embeddedPost("Old", "alpha beta gamma");
    await database.deletePost(BigInt(id));
    expect(await database.embeddingsOf(BigInt(id))).toHaveLength(1);
    expect(await search("alpha beta gamma")).toEqual([]);
  });

  it("shows exactly the chunk that matched, even after characters beyond the basic plane", async () => {
    const body = `${"😀𝔘🀄 漢é ".repeat(400)}\n\n${words("beta", 400)}\n\n${"👩‍👩‍👧‍👦 ".repeat(300)}\n\n${words("gamma", 60)}`;
    const chunks = split(`Astral\n\n${body}`, 1_000);
    expect(chunks.length).toBeGreaterThan(2);
    await embeddedPost("Astral", body);
    const matched = chunks.find(({ text }) => text.includes("gamma59"))?.text.trim();
    expect((await search(words("gamma", 60)))[0]?.passage).toBe(matched);
  });

  it("embeds every passage with the title of its row", () => {
    const made = passages(`Long\n\n${words("alpha", 800)}`, { title: "Long", maxTokens: 200 });
    expect(made.length).toBeGreaterThan(2);
    expect(made.every(({ input }) => input.startsWith("Long\n\n"))).toBe(true);
  });

  it("shows the start of the current text if it has changed since it was embedded", async () => {
    const body = [words("alpha", 400), words("beta", 400)].join("\n\n");
    const id = await embeddedPost("Before", body);
    const present = words("delta", 1_000);
    await updatePost(BigInt(id), { title: "After", body: present });
    const [found] = await search(words("beta", 60));
    expect(found).toMatchObject({
      columns: { title: "After" },
      passage: `After\n\n${present}`.slice(0, 1_000).trim(),
    });
  });

  it("returns as many as requested, ten by default", async () => {
    for (let n = 0; n < 12; n += 1) await embeddedPost(`Post ${n}`, "alpha");
    expect(await search("alpha", 3)).toHaveLength(3);
    expect(await search("alpha", 50)).toHaveLength(12);
    const response = await ask("q=alpha");
    expect(answerSchema.parse(await response.json()).results).toHaveLength(10);
  });

  it("asks the provider once for one text, and counts what that charged", async () => {
    const { calls } = await provider.stats();
    await search("never asked before");
    await search("  never asked before ");
    expect((await provider.stats()).calls).toBe(calls + 1);
    const { rows } = await database.db.execute(
      sql`select calls, model, tokens > 0 as counted from aftercommit.usage`,
    );
    expect(rows).toEqual([{ calls: 1, model: "text-embedding-3-small", counted: true }]);
  });
});

describe("a search fails", () => {
  it.each([
    ["", "query: is empty"],
    ["q=", "query: is empty"],
    ["q=%20%09", "query: is empty"],
    ["q=a&in=users", "in: must be one of posts"],
    [`q=${"a".repeat(1_001)}`, "query: is longer than 1000 characters"],
    ...["0", "51", "-1", "1.5", "ten", "", "1e1"].map((limit) => [
      `q=a&limit=${limit}`,
      "limit: must be a whole number from 1 to 50",
    ]),
  ])("with 400 for ?%.20s", async (query, error) => {
    const response = await ask(query);
    expect(response.status).toBe(400);
    expect(await response.json()).toEqual({ error });
  });

  it("with 503 while the provider fails, and no longer when it works again", async () => {
    await provider.fail({ status: 500, times: 1 });
    const response = await ask("q=while+it+fails");
    expect(response.status).toBe(503);
    expect(await response.json()).toEqual({ error: expect.stringContaining("embedding provider") });
    expect((await ask("q=while+it+fails")).status).toBe(200);
  });

  it("with 503 and the variable's name while the provider is not configured", async () => {
    vi.stubEnv("OPENAI_API_KEY", "");
    const response = await ask("q=before+the+key+is+set");
    expect(response.status).toBe(503);
    const { error } = await response.json();
    expect(error).toContain("OPENAI_API_KEY is not set");
    expect(error).not.toContain("try again");
  });

  it("with 503 and the command if the database has no model", async () => {
    await database.db.execute(sql`update aftercommit.models set state = 'retired'`);
    const response = await ask("q=alpha");
    await database.db.execute(sql`update aftercommit.models set state = 'active'`);
    expect(response.status).toBe(503);
    expect(await response.json()).toEqual({ error: expect.stringContaining("npx aftercommit migrate") });
  });

  it("with 503 while the database fails", async () => {
    expect((await ask("q=alpha")).status).toBe(200);
    vi.stubEnv("DATABASE_URL", "postgres://postgres@127.0.0.1:1/postgres");
    const response = await ask("q=alpha");
    expect(response.status).toBe(503);
    expect(await response.json()).toEqual({ error: expect.stringContaining("database") });
  });
});

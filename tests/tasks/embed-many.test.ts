import { sql } from "drizzle-orm";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { embeddingFailures } from "../../drizzle/embedding-tables.ts";
import { findFailedRows } from "../../drizzle/queries/embeddings/failures.ts";
import { findRowsBehind } from "../../drizzle/queries/embeddings/find-rows-behind.ts";
import { posts as postsTable } from "../../drizzle/schema.ts";
import { embedMany } from "../../lib/embeddings/embed-many.ts";
import { embedRow } from "../../lib/embeddings/embed-row.ts";
import { posts } from "../../lib/embeddings/posts.ts";
import { type EmbedTexts, embedTexts } from "../../lib/embeddings/provider.ts";
import { RefusedTextError } from "../../lib/embeddings/refused-text-error.ts";
import { FIRST_MODEL } from "../postgres-template.ts";
import { databaseForTests } from "./database.ts";
import { poisoned, refuse, strictProviderForTests } from "./strict-provider.ts";

const database = databaseForTests({ ...FIRST_MODEL, dimensions: 8 });
const provider = strictProviderForTests();
const { insertPost, updatePost, deletePost, embeddingsOf } = database;

const behind = async () =>
  (await findRowsBehind(database.db, posts.of, { modelIds: [1], limit: 5_000 })).map(({ id }) => id);
const failures = () => database.db.select().from(embeddingFailures).orderBy(embeddingFailures.rowId);
const letTimeCome = () => database.db.update(embeddingFailures).set({ nextTry: sql`now()` });

async function insertPosts(count: number, bodyOf = (n: number) => `Body ${n}`): Promise<string[]> {
  const values = Array.from({ length: count }, (_, n) => ({
    title: "Post",
    body: bodyOf(n),
    author: "Alice",
  }));
  const rows = await database.db.insert(postsTable).values(values).returning({ id: postsTable.id });
  return rows.map(({ id }) => String(id));
}

// Nothing here is about waiting for the provider's limits.
beforeAll(() => void vi.stubEnv("EMBEDDING_TOKENS_PER_MINUTE", "1000000000"));
afterAll(() => void vi.unstubAllEnvs());
beforeEach(async () => {
  await database.db.delete(postsTable);
  await database.db.delete(embeddingFailures);
});

it("embeds a thousand rows in one request, and says what became of each", async () => {
  const ids = await insertPosts(1_000);
  await embedMany(posts.of, ids.slice(0, 1));
  await deletePost(BigInt(ids[1] ?? ""));
  expect(await embedMany(posts.of, [...ids, ...ids])).toEqual({
    embedded: 998,
    unchanged: 1,
    superseded: 0,
    gone: 1,
    refused: 0,
    chunks: 998,
    tokens: 998,
    model: FIRST_MODEL.name,
  });
  // Five hundred texts are held at once.
  expect(provider.requests.map(({ input }) => input.length)).toEqual([1, 498, 500]);
  expect(await behind()).toEqual([]);
});

it("asks for nothing where nothing is to be done", async () => {
  const ids = await insertPosts(20);
  await embedMany(posts.of, ids);
  provider.requests = [];
  expect(await embedMany(posts.of, ids)).toMatchObject({ unchanged: 20, tokens: 0 });
  expect(provider.requests).toEqual([]);
});

it("does not write over what changed meanwhile, and writes the others", async () => {
  const [changed = "", gone = "", ...others] = await insertPosts(5);
  const embed: EmbedTexts = async (...asked) => {
    await updatePost(BigInt(changed), { body: "newer" });
    await deletePost(BigInt(gone));
    return embedTexts(...asked);
  };
  const result = await embedMany(posts.of, [changed, gone, ...others], { embed });
  expect(result).toMatchObject({ embedded: 3, superseded: 1, gone: 1 });
  expect(await behind()).toEqual([changed]);
});

it("two runs about the same rows in opposite orders both end", async () => {
  const ids = await insertPosts(200);
  const results = await Promise.all([embedMany(posts.of, ids), embedMany(posts.of, ids.toReversed())]);
  for (const { embedded, unchanged } of results) expect(embedded + unchanged).toBe(200);
  expect(await behind()).toEqual([]);
});

it("embeds a row of more than 2,048 chunks by several requests, and all at once", async () => {
  const word = "lorem ipsum dolor sit amet ";
  const id = String(await insertPost({ title: "Long", body: word.repeat(400_000) }));
  const result = await embedMany(posts.of, [id]);
  expect(result.embedded).toBe(1);
  expect(result.chunks).toBeGreaterThan(2_048);
  expect(provider.requests.length).toBeGreaterThan(1);
  for (const { input } of provider.requests) expect(input.length).toBeLessThanOrEqual(2_048);
  expect(await embeddingsOf(BigInt(id))).toHaveLength(result.chunks);
  expect(await behind()).toEqual([]);
}, 120_000);

describe.each([{ named: true }, { named: false }])("a poisoned text among many, %j", ({ named }) => {
  it("fails alone, is recorded with the provider's words, and the others are written", async () => {
    const places = [3, 1_199, 1_777];
    const ids = await insertPosts(2_000, (n) => (places.includes(n) ? `poison ${n}` : `Body ${n}`));
    provider.rule = poisoned({ named });
    expect(await embedMany(posts.of, ids)).toMatchObject({ embedded: 1_997, refused: 3 });
    const refused = places.map((n) => ids[n]);
    const recorded = await failures();
    expect(recorded.map(({ rowId }) => rowId)).toEqual(refused.toSorted());
    for (const failure of recorded)
      expect(failure).toMatchObject({ tries: 1, error: expect.stringMatching(/input/) });
    // 4 without a refusal. One more each where the text is named. Else two for each halving of 500 and a look whether
    // the fault is in the texts at all: to find 3 of 2,000 takes 31 answers of yes or no.
    expect(provider.requests.length - 4).toBeLessThanOrEqual(named ? 3 : 63);
  });

  it("at the beginning and at the end leaves each vector with its own row", async () => {
    const ids = await insertPosts(5, (n) => (n === 0 || n === 4 ? `poison ${n}` : `Body ${n}`));
    provider.rule = poisoned({ named });
    await embedMany(posts.of, ids);
    const byBatch = await database.db.execute<{ vector: string }>(
      sql`select post_id, embedding::text as vector from post_embeddings order by post_id`,
    );
    await database.db.execute(sql`delete from post_embeddings`);
    for (const id of ids.slice(1, 4)) await embedRow(posts.of, id, null);
    const alone = await database.db.execute(
      sql`select post_id, embedding::text as vector from post_embeddings order by post_id`,
    );
    expect(byBatch.rows).toEqual(alone.rows);
    expect(alone.rows).toHaveLength(3);
  });

  it("of several chunks is refused once, and none of it is written", async () => {
    const id = String(await insertPost({ body: `${"lorem ipsum dolor ".repeat(2_000)} poison poison` }));
    provider.rule = poisoned({ named });
    expect(await embedMany(posts.of, [id])).toMatchObject({ refused: 1, embedded: 0, chunks: 0 });
    expect(await failures()).toMatchObject([{ rowId: id, tries: 1 }]);
    expect(await embeddingsOf(BigInt(id))).toEqual([]);
  });
});

it("a row whose chunks fill several requests, each with a poisoned one, counts as refused once", async () => {
  const body = `poison ${"lorem ipsum dolor sit amet ".repeat(70_000)} poison`;
  const id = String(await insertPost({ body }));
  provider.rule = poisoned({ named: true });
  await embedMany(posts.of, [id]);
  expect(provider.requests.filter(({ input }) => input.some((one) => one.includes("poison")))).toHaveLength(
    2,
  );
  expect(await failures()).toMatchObject([{ rowId: id, tries: 1 }]);
}, 120_000);

it("a request that is refused whatever it holds aborts the run instead of refusing every text", async () => {
  const ids = await insertPosts(100);
  provider.rule = () => refuse("This model does not support dimensions.");
  await expect(embedMany(posts.of, ids)).rejects.toMatchObject({ status: 400 });
  expect(await failures()).toEqual([]);
  expect(provider.requests.length).toBeLessThanOrEqual(2);
});

describe("a text that was refused", () => {
  it("is tried ever more rarely", async () => {
    const [id = ""] = await insertPosts(1, () => "poison");
    provider.rule = poisoned({ named: true });
    const waits: number[] = [];
    for (let round = 0; round < 12; round += 1) {
      expect(await behind()).toEqual([id]);
      await embedMany(posts.of, [id]);
      const { rows } = await database.db.execute<{ minutes: number }>(
        sql`select (extract(epoch from next_try - updated_at) / 60)::float8 as minutes from embedding_failures`,
      );
      waits.push(rows[0]?.minutes ?? 0);
      await letTimeCome();
    }
    expect(waits).toEqual([10, 20, 40, 80, 160, 320, 640, 1_280, 2_560, 5_120, 10_080, 10_080]);
  });

  it("is neither found nor sent again by the bulk lane before its time", async () => {
    const [id = "", other = ""] = await insertPosts(2, (n) => (n === 0 ? "poison" : "fine"));
    provider.rule = poisoned({ named: true });
    await embedMany(posts.of, [id, other]);
    provider.requests = [];
    expect(await behind()).toEqual([]);
    expect(await embedMany(posts.of, [id, other])).toMatchObject({ refused: 1, unchanged: 1 });
    expect(provider.requests).toEqual([]);
  });

  it("is tried again at once when it has changed, and counted from the first", async () => {
    const [id = ""] = await insertPosts(1, () => "poison");
    provider.rule = poisoned({ named: true });
    for (let round = 0; round < 3; round += 1) {
      await letTimeCome();
      await embedMany(posts.of, [id]);
    }
    expect(await failures()).toMatchObject([{ tries: 3 }]);
    await updatePost(BigInt(id), { body: "other poison" });
    expect(await behind()).toEqual([id]);
    await embedMany(posts.of, [id]);
    expect(await failures()).toMatchObject([{ tries: 1 }]);
  });

  it("is forgotten when it is embedded after all", async () => {
    const [id = ""] = await insertPosts(1, () => "poison");
    provider.rule = poisoned({ named: true });
    await embedMany(posts.of, [id]);
    await updatePost(BigInt(id), { body: "healed" });
    expect(await embedMany(posts.of, [id])).toMatchObject({ embedded: 1 });
    expect(await failures()).toEqual([]);
  });

  it("is no failure of the row any more once that has another text", async () => {
    const [id = ""] = await insertPosts(1, () => "poison");
    provider.rule = poisoned({ named: true });
    await embedMany(posts.of, [id]);
    expect(await findFailedRows(database.db, posts.of, 1, 10)).toMatchObject([{ id, tries: 1 }]);
    await updatePost(BigInt(id), { body: "another" });
    expect(await findFailedRows(database.db, posts.of, 1, 10)).toEqual([]);
  });

  it("by an edit fails the run with the provider's words, is recorded, and is tried at the next edit", async () => {
    const id = await insertPost({ body: "poison" });
    provider.rule = poisoned({ named: false });
    const refused = embedRow(posts.of, String(id), null);
    await expect(refused).rejects.toThrow(RefusedTextError);
    await expect(refused).rejects.toThrow("'$.input' is invalid.");
    expect(await failures()).toMatchObject([{ tries: 1 }]);
    await expect(embedRow(posts.of, String(id), null)).rejects.toThrow(RefusedTextError);
    expect(await failures()).toMatchObject([{ tries: 2 }]);
  });

  it("keeps the vectors of the text before it", async () => {
    const id = await insertPost({ body: "fine" });
    await embedRow(posts.of, String(id), null);
    await updatePost(id, { body: "poison" });
    provider.rule = poisoned({ named: true });
    await embedMany(posts.of, [String(id)]);
    expect(await embeddingsOf(id)).toHaveLength(1);
  });
});

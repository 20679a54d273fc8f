import { sql } from "drizzle-orm";
import { beforeEach, expect, it } from "vitest";
import { embeddingModels, postEmbeddings } from "../../drizzle/embedding-tables.ts";
import { switchTo } from "../../drizzle/queries/embeddings/generations.ts";
import { posts as postsTable } from "../../drizzle/schema.ts";
import { embedRow } from "../../lib/embeddings/embed-row.ts";
import { posts } from "../../lib/embeddings/posts.ts";
import type { EmbedTexts } from "../../lib/embeddings/provider.ts";
import { beginReembedding, switchModel } from "../../lib/embeddings/reembed.ts";
import { searchPosts } from "../../lib/search/search-posts.ts";
import { FIRST_MODEL } from "../postgres-template.ts";
import { databaseForTests } from "./database.ts";

const NEW = "text-embedding-3-large";
const database = databaseForTests({ ...FIRST_MODEL, dimensions: 4 });
const { insertPost } = database;

const embed: EmbedTexts = async (model, texts) => ({
  vectors: texts.map(() => new Float32Array(model.dimensions).fill(0.1)),
  tokens: texts.length,
  left: {},
});

/** An embed that has only the vectors of one model. */
const without =
  (name: string): EmbedTexts =>
  async (model, ...rest) => {
    if (model.name === name) throw new Error(`${name} does not answer`);
    return embed(model, ...rest);
  };

const states = async () =>
  (await database.db.select().from(embeddingModels).orderBy(embeddingModels.id)).map(({ state }) => state);

async function begin(): Promise<number> {
  const begun = await beginReembedding({ name: NEW, dimensions: 6 }, { embed });
  return begun?.to.id ?? 0;
}

beforeEach(async () => {
  await database.db.delete(postsTable);
  await database.db.delete(embeddingModels).where(sql`id <> 1`);
  await database.db.update(embeddingModels).set({ state: "active" });
});

it.each([FIRST_MODEL.name, NEW])(
  "an edit is embedded by the other one where %s does not answer",
  async (gone) => {
    await begin();
    const id = await insertPost();
    await expect(embedRow(posts.of, String(id), null, { embed: without(gone) })).rejects.toThrow(gone);
    expect(await database.embeddingsOf(id)).toHaveLength(1);
    // The next attempt makes what is missing.
    expect(await embedRow(posts.of, String(id), null, { embed })).toMatchObject({ tokens: 1 });
    expect(await database.embeddingsOf(id)).toHaveLength(2);
  },
);

it("is not begun where the provider makes no such vectors", async () => {
  await expect(beginReembedding({ name: NEW, dimensions: 6 }, { embed: without(NEW) })).rejects.toThrow(NEW);
  expect(await states()).toEqual(["active"]);
});

it("is not begun anew when it is the active one", async () => {
  const active = { name: FIRST_MODEL.name, dimensions: 4 };
  expect(await beginReembedding(active, { embed })).toBeUndefined();
  expect(await states()).toEqual(["active"]);
});

it("that was given up meanwhile does not become the active one", async () => {
  const begun = await beginReembedding({ name: NEW, dimensions: 6 }, { embed });
  if (!begun) throw new Error("Nothing was begun");
  await database.db.update(embeddingModels).set({ state: "retired" }).where(sql`id <> 1`);
  await expect(switchModel(begun.to)).rejects.toThrow("is not being built any more");
  await database.db.delete(embeddingModels).where(sql`id <> 1`);
  await expect(switchModel(begun.to)).rejects.toThrow("is not being built any more");
  expect(await states()).toEqual(["active"]);
});

it("that takes over while a search is under way answers that search", async () => {
  const building = await begin();
  const id = await insertPost();
  await embedRow(posts.of, String(id), null, { embed });
  let switched = false;
  const slow: EmbedTexts = async (model, ...rest) => {
    const answer = await embed(model, ...rest);
    if (!switched) {
      await switchTo(database.db, building);
      await database.db.delete(postEmbeddings).where(sql`model_id = 1`);
    }
    switched = true;
    return answer;
  };
  const found = await searchPosts({ in: "posts", q: "what takes its time", limit: 10 }, { embed: slow });
  expect(found.map((post) => post.id)).toEqual([String(id)]);
});

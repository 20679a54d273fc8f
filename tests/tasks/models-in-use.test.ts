import { sql } from "drizzle-orm";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { embeddingModels } from "../../drizzle/embedding-tables.ts";
import { classifyError } from "../../lib/embeddings/classify-error.ts";
import { embedRow } from "../../lib/embeddings/embed-row.ts";
import { modelsInUse, OtherModelError } from "../../lib/embeddings/models-in-use.ts";
import { posts } from "../../lib/embeddings/posts.ts";
import { beginReembedding } from "../../lib/embeddings/reembed.ts";
import { FIRST_MODEL } from "../postgres-template.ts";
import { databaseForTests } from "./database.ts";
import { strictProviderForTests } from "./strict-provider.ts";

const database = databaseForTests({ ...FIRST_MODEL, dimensions: 8 });
const provider = strictProviderForTests();

beforeEach(async () => {
  provider.requests = [];
  await database.db.delete(embeddingModels).where(sql`id <> 1`);
  await database.db.update(embeddingModels).set({ state: "active", recipe: 1 });
});
afterEach(() => vi.unstubAllEnvs());

async function refusal(): Promise<unknown> {
  const id = await database.insertPost();
  const error = await embedRow(posts.of, String(id), null).catch((error: unknown) => error);
  expect(error).toBeInstanceOf(OtherModelError);
  expect(classifyError(error, new Date())).toEqual({ kind: "abort" });
  expect(provider.requests).toEqual([]);
  expect(await database.embeddingsOf(id)).toEqual([]);
  return error;
}

it.each([undefined, "", FIRST_MODEL.name])(
  "the database says which model it is, with EMBEDDING_MODEL %j",
  async (name) => {
    vi.stubEnv("EMBEDDING_MODEL", name);
    const { active, building } = await modelsInUse(database.db);
    expect([active.name, building]).toEqual([FIRST_MODEL.name, undefined]);
  },
);

it("EMBEDDING_MODEL of another name is refused with the command that changes the model", async () => {
  vi.stubEnv("EMBEDDING_MODEL", "text-embedding-3-large");
  expect(await refusal()).toMatchObject({
    message: expect.stringContaining("npm run reembed -- --model text-embedding-3-large"),
  });
});

it("EMBEDDING_MODEL may name the model that is being built", async () => {
  const model = { name: "text-embedding-3-large", dimensions: 8, recipe: 1, indexType: "halfvec" as const };
  await database.db.insert(embeddingModels).values({ ...model, state: "building" });
  vi.stubEnv("EMBEDDING_MODEL", "text-embedding-3-large");
  const { active, building } = await modelsInUse(database.db);
  expect([active.name, building?.name]).toEqual([FIRST_MODEL.name, "text-embedding-3-large"]);
});

it("a database without a model names the command that registers one", async () => {
  await database.db.update(embeddingModels).set({ state: "retired" });
  expect(await refusal()).toMatchObject({ message: expect.stringContaining("npm run migrate") });
});

it("vectors of another way to split texts are not mixed with this one's", async () => {
  await database.db.update(embeddingModels).set({ recipe: 2 });
  expect(await refusal()).toMatchObject({
    message: expect.stringContaining(`npm run reembed -- --model ${FIRST_MODEL.name} --dimensions 8`),
  });
});

it("while a generation of the present way to split texts is built, rows are embedded by both", async () => {
  const id = await database.insertPost();
  await database.db.update(embeddingModels).set({ recipe: 2 });
  const begun = await beginReembedding({ name: FIRST_MODEL.name, dimensions: 8 });
  expect(begun).toMatchObject({ from: { recipe: 2 }, to: { recipe: 1, state: "building" } });
  expect(await embedRow(posts.of, String(id), null)).toMatchObject({ status: "embedded" });
  expect(await database.embeddingsOf(id)).toHaveLength(2);
  await database.deletePost(id);
});

it.each(["active", "building"] as const)("the database holds one %s model at most", async (state) => {
  const model = { dimensions: 8, recipe: 1, indexType: "halfvec" as const, state };
  const insert = async () => {
    await database.db.insert(embeddingModels).values({ ...model, name: "one" });
    await database.db.insert(embeddingModels).values({ ...model, name: "two" });
  };
  await expect(insert()).rejects.toThrow();
});

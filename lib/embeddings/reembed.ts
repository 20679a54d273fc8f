import type { Database } from "../../drizzle/client.ts";
import { withLongConnection } from "../../drizzle/long-connection.ts";
import { chooseIndexType } from "../../drizzle/migrate/choose-index-type.ts";
import { countRowsBehind } from "../../drizzle/queries/embeddings/find-rows-behind.ts";
import {
  beginGeneration,
  deleteVectors,
  forgetGeneration,
  readGenerations,
  stopBuilding,
  switchTo,
} from "../../drizzle/queries/embeddings/generations.ts";
import type { EmbeddingModel } from "../../drizzle/queries/embeddings/models.ts";
import { buildVectorIndex, dropVectorIndex } from "../../drizzle/queries/embeddings/vector-index.ts";
import { database } from "../database.ts";
import { required } from "../env.ts";
import type { EmbeddedSource } from "./embedded-source.ts";
import { type EmbedTexts, embedTexts } from "./provider.ts";
import { RECIPE } from "./recipe.ts";

type Deps = { db?: Database };

/** A change of the model cannot be begun or ended as things stand; the message says why. */
class ReembedError extends Error {
  override readonly name = "ReembedError";
}

/**
 * Begins the generation of a model beside the active one, or takes it up where it was: from then on every run embeds by
 * both. Undefined when it is the active one already. Rejects with ReembedError when another is being built, and as the
 * provider does when that makes no such vectors: nothing is begun then.
 */
export async function beginReembedding(
  model: { name: string; dimensions: number },
  { db = database(), embed = embedTexts }: Deps & { embed?: EmbedTexts } = {},
): Promise<{ from: EmbeddingModel | undefined; to: EmbeddingModel } | undefined> {
  const wanted = { ...model, recipe: RECIPE };
  const generations = await readGenerations(db);
  const isWanted = ({ name, dimensions, recipe }: EmbeddingModel) =>
    name === wanted.name && dimensions === wanted.dimensions && recipe === wanted.recipe;
  const from = generations.find(({ state }) => state === "active");
  if (from && isWanted(from)) return undefined;
  const building = generations.find(({ state }) => state === "building");
  if (building && !isWanted(building))
    throw new ReembedError(
      `${building.name} is being built: end that by npm run reembed -- --model ${building.name}, or give it up by npm run reembed -- --stop`,
    );
  // Once it is registered, every edit asks it: what was misspelt would fail them all.
  if (!building) await embed(wanted, ["ok"]);
  const indexType = await withLongConnection(required("DATABASE_URL"), (client) =>
    chooseIndexType(client, model.dimensions),
  );
  return { from, to: await beginGeneration(db, wanted, indexType) };
}

/** How many rows a generation has still to embed, of how many; refused ones are not waited for. */
export async function rowsLeft(
  sources: readonly EmbeddedSource[],
  { id }: EmbeddingModel,
  { db = database() }: Deps = {},
): Promise<{ behind: number; all: number }> {
  const total = { behind: 0, all: 0 };
  for (const { of } of sources) {
    const { behind, all } = await countRowsBehind(db, of, id);
    total.behind += behind;
    total.all += all;
  }
  return total;
}

/** Builds the vector indexes of a complete generation, without a lock. */
export async function buildIndexes(sources: readonly EmbeddedSource[], model: EmbeddingModel): Promise<void> {
  for (const { of } of sources)
    await withLongConnection(required("DATABASE_URL"), (client) =>
      buildVectorIndex(client, { ...model, table: of.embeddingsName }),
    );
}

/**
 * Has search answer from a generation that was being built, at once. The one before is kept, so that it can be
 * switched back. Rejects with ReembedError when somebody gave it up meanwhile.
 */
export async function switchModel(model: EmbeddingModel, { db = database() }: Deps = {}): Promise<void> {
  if (!(await switchTo(db, model.id)))
    throw new ReembedError(
      `${model.name} is not being built any more: it was given up, or switched to, meanwhile`,
    );
}

/** Gives up a generation that is being built; its vectors stay until they are retired. */
export async function stopReembedding({ db = database() }: Deps = {}): Promise<void> {
  await stopBuilding(db);
}

const SLICE = 2_000;

async function deleteGeneration(
  { of }: EmbeddedSource,
  model: EmbeddingModel,
  say: (line: string) => void,
  db: Database,
): Promise<number> {
  await withLongConnection(required("DATABASE_URL"), (client) =>
    dropVectorIndex(client, of.embeddingsName, model),
  );
  let deleted = 0;
  for (let last = SLICE; last === SLICE; deleted += last) {
    last = await deleteVectors(db, of, model.id, SLICE);
    if (last > 0) say(`${model.name}: deleted ${deleted + last} vectors of ${of.name}`);
  }
  return deleted;
}

/**
 * Deletes the vectors of all generations that are not in use. Resolves with their names. Rejects with ReembedError where
 * a table that is no longer declared has vectors of one.
 */
export async function retireGenerations(
  sources: readonly EmbeddedSource[],
  say: (line: string) => void,
  { db = database() }: Deps = {},
): Promise<string[]> {
  const retired = (await readGenerations(db)).filter(({ state }) => state === "retired");
  for (const model of retired)
    for (let forgotten = false; !forgotten; ) {
      let deleted = 0;
      for (const source of sources) deleted += await deleteGeneration(source, model, say, db);
      forgotten = await forgetGeneration(db, model.id);
      if (!forgotten && deleted === 0)
        throw new ReembedError(`${model.name} has vectors of a table that is not declared`);
    }
  return retired.map(({ name }) => name);
}

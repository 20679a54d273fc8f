import { sql } from "drizzle-orm";
import { beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { posts } from "@/aftercommit.config.ts";
import { posts as postsTable } from "@/drizzle/schema.ts";
import { FIRST_MODEL } from "@/tests/helpers/postgres-template.ts";
import { databaseForTests } from "@/tests/helpers/posts-database.ts";
import { withLongConnection } from "../db/long-connection.ts";
import { vectorParameter } from "../embeddings/vector-parameter.ts";
import { type Model, readModelsInUse } from "../models/models.ts";
import { buildVectorIndex, dropVectorIndex, needsVectorIndex } from "../models/vector-index.ts";
import { readInTransaction, rowsOf } from "./connection.ts";
import { findNearestRows, type NearestQuery, nearestRowsQuery, searchByIndex } from "./nearest-rows.ts";

const INDEX = "post_embeddings_model_1";
const database = databaseForTests({ ...FIRST_MODEL, dimensions: 16 });

const axis = (place: number) => Float32Array.from({ length: 16 }, (_, index) => (index === place ? 1 : 0));

const insertVector = (id: bigint, vector: Float32Array) =>
  database.db.execute(sql`
    insert into post_embeddings (post_id, model_id, chunk, chunks, text_hash, start, length, tokens, embedding)
    values (${id}, 1, 0, 1, md5('')::uuid, 0, 1, 1, ${vectorParameter(vector)}::vector::halfvec)`);

/** Vectors of some posts, each in another direction. */
const insertVectors = (from: number, to: number) =>
  database.db.execute(sql`
    with made as (insert into posts (id, title, body, author)
      select n, 'Post', 'Body', 'Alice' from generate_series(${from}::int, ${to}::int) n returning id)
    insert into post_embeddings (post_id, model_id, chunk, chunks, text_hash, start, length, tokens, embedding)
    select id, 1, 0, 1, md5('')::uuid, 0, 1, 1, vector::halfvec
    from made, lateral (select array_agg(sin(id * n)) as vector from generate_series(1, 16) n) as of`);

const active = async () => (await readModelsInUse(database.db)).active;
const needsIndex = async () => needsVectorIndex(database.db, posts.embeddings, await active());

const nearestRows = (query: Omit<NearestQuery, "filter">) =>
  readInTransaction(database.db.$client, (client) =>
    findNearestRows(client, posts, { ...query, filter: undefined }),
  );

/** Runs `work` while the active model has a vector index. */
const withIndex = (model: Model, work: () => Promise<void>) =>
  withLongConnection(process.env.DATABASE_URL ?? "", async (client) => {
    await buildVectorIndex(client, posts.embeddings, model);
    await work();
    await dropVectorIndex(client, posts.embeddings, model);
  });

const isValid = async () =>
  (
    await database.db.execute(
      sql`select indisvalid as valid from pg_index where indexrelid = to_regclass(${INDEX})`,
    )
  ).rows;

beforeEach(async () => {
  await database.db.delete(postsTable);
  await database.db.execute(sql`truncate post_embeddings`);
});

describe("the nearest vectors of a model", () => {
  const near = Float32Array.from(axis(5), (number, place) => (place === 6 ? 0.1 : number));

  it("are found by cosine, nearest first, with an index and without", async () => {
    const ids: string[] = [];
    for (const place of [5, 6, 7]) {
      const id = await database.insertPost({ title: `Axis ${place}` });
      await insertVector(id, axis(place));
      ids.push(String(id));
    }
    const model = await active();
    const nearest = async () => {
      const found = await nearestRows({ vector: near, model, limit: 2 });
      return found.map(({ id }) => id);
    };
    const expected = ids.slice(0, 2);
    expect(await nearest()).toEqual(expected);
    await withIndex(model, async () => expect(await nearest()).toEqual(expected));
  });

  it.each(["halfvec", "vector"] as const)(
    "are read from an HNSW index of %s, in order",
    async (indexType) => {
      await insertVectors(1, 400);
      await database.db.execute(sql`analyze post_embeddings`);
      const model = { ...(await active()), indexType };
      await withIndex(model, async () => {
        const plan = await readInTransaction(database.db.$client, async (client) => {
          await searchByIndex(client, 100);
          const query = nearestRowsQuery(posts, { vector: near, model, limit: 5, filter: undefined }, 20);
          return z
            .array(z.object({ "QUERY PLAN": z.string() }))
            .parse(await rowsOf(client, sql`explain ${query}`));
        });
        expect(plan.map((row) => row["QUERY PLAN"]).join("\n")).toContain(`Index Scan using ${INDEX}`);
        const vector = Float32Array.from({ length: 16 }, (_, n) => Math.sin(142 * (n + 1)));
        const found = await nearestRows({ vector, model, limit: 10 });
        expect(found).toHaveLength(10);
        expect(found[0]).toMatchObject({ id: "142", distance: expect.closeTo(0, 4) });
        const distances = found.map(({ distance }) => distance);
        expect(distances).toEqual(distances.toSorted((a, b) => a - b));
      });
    },
  );

  it("exclude those of a deleted row whose vectors still exist, and of a blank one", async () => {
    const [deleted, blank, kept] = [
      await database.insertPost(),
      await database.insertPost(),
      await database.insertPost(),
    ];
    for (const id of [deleted, kept]) await insertVector(id, axis(1));
    await database.db.execute(sql`
      insert into post_embeddings (post_id, model_id, chunk, chunks, text_hash, start, length, tokens)
      values (${blank}, 1, 0, 0, md5('')::uuid, 0, 0, 0)`);
    await database.deletePost(deleted);
    const found = await nearestRows({
      vector: axis(1),
      model: await active(),
      limit: 10,
    });
    expect(found.map(({ id }) => id)).toEqual([String(kept)]);
  });
});

describe("a vector index", () => {
  it("that an interrupted build left behind is built again", async () => {
    const model = await active();
    await withIndex(model, async () => {
      await database.db.execute(
        sql`update pg_index set indisvalid = false where indexrelid = ${INDEX}::regclass`,
      );
      await withLongConnection(process.env.DATABASE_URL ?? "", (client) =>
        buildVectorIndex(client, posts.embeddings, model),
      );
      expect(await isValid()).toEqual([{ valid: true }]);
    });
    expect(await isValid()).toEqual([]);
  });

  it("is needed from 5,000 vectors on, whatever is pending or failed, until it is built", async () => {
    await insertVectors(1, 4_999);
    expect(await needsIndex()).toBe(false);
    await insertVectors(5_000, 5_000);
    expect(await needsIndex()).toBe(true);
    await withIndex(await active(), async () => {
      expect(await needsIndex()).toBe(false);
      await database.db.execute(
        sql`update pg_index set indisvalid = false where indexrelid = ${INDEX}::regclass`,
      );
      expect(await needsIndex()).toBe(true);
    });
  });
});

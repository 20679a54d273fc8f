import { sql } from "drizzle-orm";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { z } from "zod";
import { embeddingCounts } from "../../drizzle/embedding-tables.ts";
import { halfvec } from "../../drizzle/halfvec.ts";
import { withLongConnection } from "../../drizzle/long-connection.ts";
import {
  findNearestRows,
  nearestRowsQuery,
  searchByIndex,
} from "../../drizzle/queries/embeddings/nearest-rows.ts";
import {
  buildVectorIndex,
  dropVectorIndex,
  hasVectorIndex,
} from "../../drizzle/queries/embeddings/vector-index.ts";
import { posts as postsTable } from "../../drizzle/schema.ts";
import { modelsInUse } from "../../lib/embeddings/models-in-use.ts";
import { posts } from "../../lib/embeddings/posts.ts";
import { buildIndexes } from "../../lib/embeddings/reembed.ts";
import { indexWhenComplete } from "../../lib/embeddings/vector-index.ts";
import { required } from "../../lib/env.ts";
import { FIRST_MODEL } from "../postgres-template.ts";
import { databaseForTests } from "./database.ts";

const database = databaseForTests({ ...FIRST_MODEL, dimensions: 16 });
const { insertPost } = database;

const axis = (place: number) => Float32Array.from({ length: 16 }, (_, index) => (index === place ? 1 : 0));

/** Vectors of some posts, each of its own direction. */
const insertVectors = (from: number, to: number) =>
  database.db.execute(sql`
    with made as (insert into posts (id, title, body, author)
      select n, 'Post', 'Body', 'Alice' from generate_series(${from}::int, ${to}::int) n returning id)
    insert into post_embeddings (post_id, model_id, chunk, chunks, text_hash, start, length, tokens, embedding)
    select id, 1, 0, 1, md5('')::uuid, 0, 1, 1, vector::halfvec
    from made, lateral (select array_agg(sin(id * n)) as vector from generate_series(1, 16) n) as of`);

beforeEach(async () => {
  await database.db.delete(postsTable);
});

/** Work while the active model has a vector index. */
async function withIndex(work: () => Promise<void>, indexType?: "halfvec" | "vector"): Promise<void> {
  const { active } = await modelsInUse(database.db);
  const model = { ...active, indexType: indexType ?? active.indexType, table: "post_embeddings" };
  await withLongConnection(required("DATABASE_URL"), async (client) => {
    await buildVectorIndex(client, model);
    await work();
    await dropVectorIndex(client, "post_embeddings", model);
  });
}

describe("the nearest vectors of a model", () => {
  const near = Float32Array.from(axis(5), (number, place) => (place === 6 ? 0.1 : number));
  const active = async () => (await modelsInUse(database.db)).active;

  it("are found by cosine, nearest first, with an index and without", async () => {
    const ids: string[] = [];
    for (const place of [5, 6, 7]) {
      const id = await insertPost({ title: `Axis ${place}` });
      await database.db.execute(sql`
        insert into post_embeddings (post_id, model_id, chunk, chunks, text_hash, start, length, tokens, embedding)
        values (${id}, 1, 0, 1, md5('')::uuid, 0, 1, 1, ${halfvec(axis(place))}::halfvec)`);
      ids.push(String(id));
    }
    const nearest = async () => {
      const found = await findNearestRows(database.db, posts.of, {
        vector: near,
        model: await active(),
        limit: 2,
      });
      return found.map(({ id }) => id);
    };
    expect(await nearest()).toEqual(ids.slice(0, 2));
    await withIndex(async () => expect(await nearest()).toEqual(ids.slice(0, 2)));
  });

  it.each(["halfvec", "vector"] as const)(
    "are read from its HNSW index of %s, in order",
    async (indexType) => {
      await insertVectors(1, 400);
      await database.db.execute(sql`analyze post_embeddings`);
      const model = { ...(await active()), indexType };
      await withIndex(async () => {
        const plan = await database.db.transaction(async (tx) => {
          await searchByIndex(tx);
          const query = nearestRowsQuery(posts.of, { vector: near, model, limit: 5 }, 20);
          const { rows } = await tx.execute(sql`explain ${query}`);
          return z.array(z.object({ "QUERY PLAN": z.string() })).parse(rows);
        });
        const lines = plan.map((row) => row["QUERY PLAN"]).join("\n");
        expect(lines).toContain("Index Scan using post_embeddings_model_1");
        const vector = Float32Array.from({ length: 16 }, (_, n) => Math.sin(142 * (n + 1)));
        const found = await findNearestRows(database.db, posts.of, { vector, model, limit: 10 });
        expect(found).toHaveLength(10);
        expect(found[0]).toMatchObject({ id: "142", distance: expect.closeTo(0, 4) });
        const distances = found.map(({ distance }) => distance);
        expect(distances).toEqual(distances.toSorted((a, b) => a - b));
      }, indexType);
    },
  );

  it("an index that an interrupted build left behind is built again", async () => {
    const model = { ...(await active()), table: "post_embeddings" };
    await withLongConnection(required("DATABASE_URL"), async (client) => {
      await buildVectorIndex(client, model);
      await client.query(
        "update pg_index set indisvalid = false where indexrelid = 'post_embeddings_model_1'::regclass",
      );
      expect(await hasVectorIndex(client, "post_embeddings", model)).toBe(false);
      await buildVectorIndex(client, model);
      expect(await hasVectorIndex(client, "post_embeddings", model)).toBe(true);
      await dropVectorIndex(client, "post_embeddings", model);
      expect(await hasVectorIndex(client, "post_embeddings", model)).toBe(false);
    });
  });

  it("an index is built when a large table is complete, and neither before nor twice", async () => {
    const built = vi.spyOn(console, "info").mockImplementation(() => {});
    const count = async (embedded: number, pending: number) => {
      const counts = { source: "posts", modelId: 1, embedded, pending, stale: 0, empty: 0, tookMs: 1 };
      await database.db.delete(embeddingCounts);
      await database.db.insert(embeddingCounts).values({ ...counts, countedAt: new Date() });
    };
    expect(await indexWhenComplete(posts)).toBe(false);
    await count(4_999, 0);
    expect(await indexWhenComplete(posts)).toBe(false);
    await count(5_000, 1);
    expect(await indexWhenComplete(posts)).toBe(false);
    await count(5_000, 0);
    expect(await indexWhenComplete(posts)).toBe(true);
    expect(await indexWhenComplete(posts)).toBe(false);
    expect(built.mock.calls.flat().join()).toContain("embedding.index_built");
    await withLongConnection(required("DATABASE_URL"), async (client) => {
      expect(await hasVectorIndex(client, "post_embeddings", await active())).toBe(true);
      await dropVectorIndex(client, "post_embeddings", await active());
    });
    built.mockRestore();
  });

  it("the indexes of a generation are built for each table", async () => {
    await buildIndexes([posts], await active());
    await withLongConnection(required("DATABASE_URL"), async (client) => {
      expect(await hasVectorIndex(client, "post_embeddings", await active())).toBe(true);
      await dropVectorIndex(client, "post_embeddings", await active());
    });
  });
});

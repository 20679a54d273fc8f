import type pg from "pg";
import { posts } from "../../aftercommit.config.ts";
import { connect, type Database } from "../../packages/aftercommit/src/db/client.ts";
import { type Model, readModelsInUse } from "../../packages/aftercommit/src/models/models.ts";
import { buildVectorIndex, dropVectorIndex } from "../../packages/aftercommit/src/models/vector-index.ts";
import { readInTransaction } from "../../packages/aftercommit/src/search/connection.ts";
import { findNearestRows } from "../../packages/aftercommit/src/search/nearest-rows.ts";
import type { Bench } from "../bench.ts";
import { productDatabase } from "../parts/product-database.ts";
import { addRowsOnTopics, inText, someVector } from "../parts/topics.ts";
import { Times } from "../report.ts";

const LIMIT = 10;

const findNearest = (db: Database, model: Model, vector: Float32Array) =>
  readInTransaction(db.$client, (client) =>
    findNearestRows(client, posts, { vector, model, limit: LIMIT, filter: undefined }),
  );

async function exactRows(client: pg.Client, vector: Float32Array): Promise<string[]> {
  const { rows } = await client.query<{ id: string }>(
    "select post_id::text as id from post_embeddings order by embedding <=> $1::halfvec limit $2",
    [inText(vector), LIMIT],
  );
  return rows.map(({ id }) => id);
}

/** The share of the ten nearest rows that search finds. */
async function recall(db: Database, client: pg.Client, model: Model, queries: readonly Float32Array[]) {
  const scans = new Times();
  let found = 0;
  for (const vector of queries) {
    const exact = new Set(await scans.measure(() => exactRows(client, vector)));
    const rows = await findNearest(db, model, vector);
    found += rows.filter(({ id }) => exact.has(id)).length;
  }
  return { share: found / (queries.length * LIMIT), scans };
}

async function measureIndex(bench: Bench, url: string, client: pg.Client, model: Model): Promise<void> {
  const { quick, progress, figure, count, times } = bench;
  const { indexType } = model;
  const db = connect(url);
  progress(`builds the index of ${indexType}`);
  const started = performance.now();
  await buildVectorIndex(client, posts.embeddings, model);
  figure(`${indexType}: index built in`, (performance.now() - started) / 1_000, "s");
  const { rows } = await client.query<{ bytes: string }>(
    "select pg_relation_size(indexrelid) as bytes from pg_index join pg_class c on c.oid = indexrelid where relname like 'post_embeddings_model_%'",
  );
  figure(`${indexType}: index`, Number(rows[0]?.bytes) / 2 ** 20, "MiB");
  const queries = Array.from({ length: quick ? 20 : 300 }, someVector);
  const took = new Times();
  for (const vector of queries) await took.measure(() => findNearest(db, model, vector));
  times(`${indexType}: search`, took);
  progress(`compares ${indexType} with the exact scan`);
  const { share, scans } = await recall(db, client, model, queries.slice(0, quick ? 20 : 50));
  times("the exact scan", scans);
  count(`${indexType}: recall@10`, share, { atLeast: 0.9 });
  await dropVectorIndex(client, posts.embeddings, model);
}

export async function run(bench: Bench): Promise<void> {
  const { server, quick, progress } = bench;
  const all = quick ? 1_000 : 100_000;
  const database = await productDatabase(server);
  const { client, url } = database;
  try {
    const { active: model } = await readModelsInUse(connect(url));
    await addRowsOnTopics(client, { modelId: model.id, count: all, progress });
    for (const indexType of ["halfvec", "vector"] as const)
      await measureIndex(bench, url, client, { ...model, indexType });
  } finally {
    await database.drop();
  }
}

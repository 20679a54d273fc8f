import type pg from "pg";
import { posts } from "../../aftercommit.config.ts";
import { connect } from "../../packages/aftercommit/src/db/client.ts";
import { readModelsInUse } from "../../packages/aftercommit/src/models/models.ts";
import { buildVectorIndex } from "../../packages/aftercommit/src/models/vector-index.ts";
import { readInTransaction } from "../../packages/aftercommit/src/search/connection.ts";
import { filterSql } from "../../packages/aftercommit/src/search/filters.ts";
import { findNearestRows } from "../../packages/aftercommit/src/search/nearest-rows.ts";
import type { Bench } from "../bench.ts";
import { productDatabase } from "../parts/product-database.ts";
import { addRowsOnTopics, DIMENSIONS, inText, someVector } from "../parts/topics.ts";
import { Times } from "../report.ts";

const LIMIT = 10;
const OTHERS = "Others";

// Each author's ids leave this remainder.
const SHARES: Readonly<Record<string, { oneIn: number; remainder: number }>> = {
  "50 %": { oneIn: 2, remainder: 0 },
  "10 %": { oneIn: 10, remainder: 1 },
  "1 %": { oneIn: 100, remainder: 3 },
  "0.1 %": { oneIn: 1_000, remainder: 5 },
  "a tenant of 20 rows": { oneIn: 5_000, remainder: 7 },
};
const authorOf = (id: number) =>
  Object.entries(SHARES).find(([, { oneIn, remainder }]) => id % oneIn === remainder)?.[0] ?? OTHERS;

const DISTANCE = `(embedding::halfvec(${DIMENSIONS})) <=> $1::halfvec(${DIMENSIONS})`;

const bare = (modelId: number, author: string | undefined) => `
  select e.post_id::text as id from post_embeddings e ${author ? "join posts p on p.id = e.post_id" : ""}
  where e.model_id = ${modelId} ${author ? `and p.author = '${author}'` : ""} order by ${DISTANCE} limit ${LIMIT}`;

/** The query of pgvector's documentation, with its settings for an index that is filtered. */
async function askBare(client: pg.Client, sql: string, vector: Float32Array): Promise<string[]> {
  const { rows } = await client.query<{ id: string }>(sql, [inText(vector)]);
  return rows.map(({ id }) => id);
}

async function askExactly(client: pg.Client, sql: string, vector: Float32Array): Promise<string[]> {
  await client.query("begin; set local enable_indexscan = off");
  const ids = await askBare(client, sql, vector);
  await client.query("commit");
  return ids;
}

/** Search with a filter that few or many rows pass, beside the exact result and pgvector's own query. */
export async function run(bench: Bench): Promise<void> {
  const { server, quick, progress, times, count, figure } = bench;
  const all = quick ? 10_000 : 100_000;
  const queries = Array.from({ length: quick ? 5 : 50 }, someVector);
  const database = await productDatabase(server);
  const { client, url } = database;
  try {
    const db = connect(url);
    const { active: model } = await readModelsInUse(db);
    await addRowsOnTopics(client, { modelId: model.id, count: all, progress, authorOf });
    progress("builds the index");
    await buildVectorIndex(client, posts.embeddings, model);
    await client.query(
      "set jit = off; set enable_sort = off; set hnsw.ef_search = 100; set hnsw.iterative_scan = strict_order",
    );

    async function measure(what: string, author: string | undefined): Promise<void> {
      progress(what);
      const filter = author === undefined ? undefined : filterSql(posts, { author });
      const sql = bare(model.id, author);
      const [ours, pgvectors] = [new Times(), new Times()];
      let [found, exists, tooFew] = [0, 0, 0];
      for (const vector of queries) {
        const exact = await askExactly(client, sql, vector);
        await pgvectors.measure(() => askBare(client, sql, vector));
        const rows = await ours.measure(() =>
          readInTransaction(db.$client, (one) =>
            findNearestRows(one, posts, { vector, model, limit: LIMIT, filter }),
          ),
        );
        found += rows.filter(({ id }) => exact.includes(id)).length;
        exists += exact.length;
        if (rows.length < exact.length) tooFew += 1;
      }
      count(`${what}: recall@10`, found / exists, { atLeast: 0.95 });
      count(`${what}: searches with fewer rows than there are`, tooFew, { exactly: 0 });
      times(`${what}: search`, ours);
      times(`${what}: pgvector's own query`, pgvectors);
      figure(`${what}: search to pgvector's own`, ours.percentile(50) / pgvectors.percentile(50), "×");
    }

    await measure("all rows", undefined);
    for (const share of Object.keys(SHARES)) await measure(share, share);
  } finally {
    await database.drop();
  }
}

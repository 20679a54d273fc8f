import type pg from "pg";
import { connect, type Database } from "../../drizzle/client.ts";
import { embeddedPosts } from "../../drizzle/embedded-table.ts";
import { readUsage } from "../../drizzle/queries/embedding-usage.ts";
import { readLag } from "../../drizzle/queries/embeddings/answer-lag.ts";
import { countRows, readCounts } from "../../drizzle/queries/embeddings/counts.ts";
import { countFailedRows, findFailedRows } from "../../drizzle/queries/embeddings/failures.ts";
import { countRowsBehind } from "../../drizzle/queries/embeddings/find-rows-behind.ts";
import { findPostsWithState } from "../../drizzle/queries/posts-on-page.ts";
import { posts } from "../../lib/embeddings/posts.ts";
import { rowsBehind } from "../../lib/embeddings/rows-behind.ts";
import type { Bench } from "../bench.ts";
import { productDatabase } from "../parts/product-database.ts";
import { Times } from "../report.ts";

const MODEL_ID = 1;
const DIMENSIONS = 4;

async function addRows(client: pg.Client, count: number): Promise<void> {
  await client.query(
    "insert into posts (title, body, author) select 'Post ' || n, 'Some words about ' || n, 'Bench' from generate_series(1, $1::int) n",
    [count],
  );
  await client.query(
    `insert into post_embeddings (post_id, model_id, chunk, chunks, text_hash, start, length, tokens, embedding, changed_at, updated_at)
     select id, ${MODEL_ID}, 0, 1, text_hash, 0, 10, 5, '[1,2,3,4]', case when id % 2 = 0 then now() end, now() + id % 1000 * interval '1 ms' from posts`,
  );
  await client.query(
    `insert into embedding_failures (source, row_id, model_id, text_hash, error, tries, next_try)
     select 'posts', id::text, ${MODEL_ID}, text_hash, 'the provider''s words', 1, now() + interval '1 day' from posts where id % 1000 = 0`,
  );
  await client.query("vacuum analyze");
}

/** Walks all rows that are behind, as the reconciliation does, and tells how many there are. */
async function walk(db: Database): Promise<number> {
  let found = 0;
  for await (const ids of rowsBehind(posts, db)) found += ids.length;
  return found;
}

const PAGE_QUERIES: Record<string, (db: Database) => Promise<unknown>> = {
  counts: (db) => readCounts(db, embeddedPosts, MODEL_ID),
  lag: (db) => readLag(db, embeddedPosts, MODEL_ID),
  "latest posts": (db) => findPostsWithState(db, MODEL_ID, { latest: 20 }),
  "failed posts": (db) => findFailedRows(db, embeddedPosts, MODEL_ID, 20),
  "count of failed posts": (db) => countFailedRows(db, embeddedPosts, MODEL_ID),
  usage: (db) => readUsage(db, 30),
};

export async function run({ server, quick, progress, figure, count, times }: Bench): Promise<void> {
  const all = quick ? 20_000 : 1_000_000;
  const database = await productDatabase(server, DIMENSIONS);
  const { client, url } = database;
  const db = connect(url);
  try {
    progress(`adds ${all} rows`);
    await addRows(client, all);

    progress("a pass with nothing to do");
    const passes = new Times();
    for (let pass = 0; pass < 5; pass += 1)
      count(`pass ${pass + 1}: rows behind`, await passes.measure(() => walk(db)), { exactly: 0 });
    times(`pass over ${all} rows with nothing to do`, passes);

    const counting = new Times();
    for (let pass = 0; pass < 3; pass += 1)
      await counting.measure(() => countRows(db, embeddedPosts, MODEL_ID));
    times(`counting ${all} rows`, counting);
    const estimating = new Times();
    for (let pass = 0; pass < 3; pass += 1)
      await estimating.measure(() => countRowsBehind(db, embeddedPosts, MODEL_ID));
    times("rows left, as npm run reconcile asks", estimating);

    for (const [name, query] of Object.entries(PAGE_QUERIES)) {
      const took = new Times();
      for (let round = 0; round < (quick ? 5 : 40); round += 1) await took.measure(() => query(db));
      times(`page: ${name}`, took);
    }

    progress("a pass after 1 % of the vectors were damaged");
    // One of two hundred is gone, another is that of another text.
    await client.query("delete from post_embeddings where post_id % 200 = 7");
    const { rowCount: stale } = await client.query(
      "update post_embeddings set text_hash = gen_random_uuid() where post_id % 200 = 107",
    );
    const healing = new Times();
    const behind = await healing.measure(() => walk(db));
    count("damaged rows that a pass finds", behind, { exactly: Math.floor((all - 7) / 100) + 1 });
    figure("pass that finds them", healing.percentile(50), "ms");
    figure("of them stale", stale ?? 0, "rows");
  } finally {
    await database.drop();
  }
}

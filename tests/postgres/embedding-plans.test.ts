import { sql } from "drizzle-orm";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connect, type Database, disconnect } from "../../drizzle/client.ts";
import { embeddingModels } from "../../drizzle/embedding-tables.ts";
import { withLongConnection } from "../../drizzle/long-connection.ts";
import { readLag } from "../../drizzle/queries/embeddings/answer-lag.ts";
import { countRows } from "../../drizzle/queries/embeddings/counts.ts";
import { countFailedRows, findFailedRows } from "../../drizzle/queries/embeddings/failures.ts";
import { countRowsBehind, findRowsBehind } from "../../drizzle/queries/embeddings/find-rows-behind.ts";
import { findNearestRows } from "../../drizzle/queries/embeddings/nearest-rows.ts";
import { readRowsToEmbed } from "../../drizzle/queries/embeddings/rows-to-embed.ts";
import { buildVectorIndex } from "../../drizzle/queries/embeddings/vector-index.ts";
import { findPostsWithState } from "../../drizzle/queries/posts-on-page.ts";
import { modelsInUse } from "../../lib/embeddings/models-in-use.ts";
import { posts } from "../../lib/embeddings/posts.ts";
import { readStatus, type Status } from "../../lib/status/read-status.ts";
import { startMigratedPostgres } from "../postgres.ts";
import { realPostgres } from "../real-postgres.ts";
import { expectIndex, expectNoSort, planOf, plansOf, stepsOf } from "./plan.ts";

const POSTS = 100_000;
const { of } = posts;

// The others have a row a model, or some a day.
const LARGE = /^(Seq|Bitmap Heap) Scan (posts|post_embeddings|user_deletions)$/;

describe.skipIf(!realPostgres)("with 100,000 posts and their vectors (needs TEST_DATABASE_URL)", () => {
  let database: Awaited<ReturnType<typeof startMigratedPostgres>>;
  let db: Database;

  beforeAll(async () => {
    database = await startMigratedPostgres();
    db = connect(database.url, { statementTimeoutMs: 0 });
    await db.update(embeddingModels).set({ name: "four", dimensions: 4 });
    await db.execute(sql`insert into posts (id, title, body, author, updated_at)
      select n, 'Post ' || n, repeat('word ' || n || ' ', 50), 'Alice', now() - n * interval '1 second'
      from generate_series(1, ${POSTS}::int) n`);
    await db.execute(sql`insert into post_embeddings
      (post_id, model_id, chunk, chunks, text_hash, start, length, tokens, embedding, changed_at)
      select id, 1, 0, 1, text_hash, 0, 10, 1, array[sin(id), cos(id), sin(id * 2), cos(id * 2)]::halfvec,
        case when id % 2 = 0 then now() - interval '1 second' end from posts`);
    await db.execute(sql`insert into embedding_failures
      (source, row_id, model_id, text_hash, error, tries, next_try, updated_at)
      select 'posts', id::text, 1, text_hash, 'refused', 1, now() + interval '1 hour', now() - id * interval '1 second'
      from posts where id % 50 = 0`);
    await db.execute(sql`delete from post_embeddings where post_id % 100 = 0`);
    const { active } = await modelsInUse(db);
    await withLongConnection(database.url, async (client) => {
      await buildVectorIndex(client, { ...active, table: "post_embeddings" });
      for (const table of ["posts", "post_embeddings", "embedding_failures"])
        await client.query(`vacuum (analyze) ${table}`);
    });
  });
  afterAll(async () => {
    await disconnect();
    await database.close();
  });

  const plan = (run: Parameters<typeof planOf>[1]) => planOf(database.url, run);

  /** The tables whose rows a plan reads, beside what it takes from indexes alone, and the refusals. */
  const tablesRead = (steps: string[]) =>
    steps.filter((step) =>
      /^(Seq Scan|Index Scan|Bitmap Heap Scan|Sample Scan)(?! embedding_failures)/.test(step),
    );

  it.each([
    ["a page from the beginning", undefined],
    ["a page further on", "60000"],
  ])(
    "finding rows behind merges two indexes and reads no row of a text or a vector, %s",
    async (_, after) => {
      const found = await plan((db) => findRowsBehind(db, of, { modelIds: [1], after, limit: 1_000 }));
      const steps = stepsOf(found);
      expect(steps).toContain("Index Only Scan posts_id_text_hash");
      expect(steps).toContain("Index Only Scan post_embeddings_state");
      expect(tablesRead(steps)).toEqual([]);
      expectNoSort(found);
    },
  );

  it("finding rows behind by two models does so for each", async () => {
    const steps = stepsOf(await plan((db) => findRowsBehind(db, of, { modelIds: [1, 2], limit: 1_000 })));
    expect(steps.filter((step) => step === "Index Only Scan posts_id_text_hash")).toHaveLength(2);
    expect(tablesRead(steps)).toEqual([]);
  });

  it.each([
    ["counting the rows of each state", countRows],
    ["counting the rows behind", countRowsBehind],
  ])(
    "%s reads no row of a text or a vector, and no statement looks at more than 50,000 rows",
    async (_, count) => {
      const plans = await plansOf(database.url, (db) => count(db, of, 1));
      const counting = plans
        .map(stepsOf)
        .filter((steps) => steps.some((step) => step.includes("embeddings_state")));
      // After the last full look there is one at no rows.
      expect(counting).toHaveLength(POSTS / 50_000 + 1);
      for (const steps of counting.slice(0, -1)) {
        expect(steps).toContain("Index Only Scan posts_id_text_hash");
        expect(steps).toContain("Index Only Scan post_embeddings_state");
        expect(tablesRead(steps)).toEqual([]);
      }
    },
  );

  it("every query of the status page takes its rows by an index", async () => {
    let status: Status | undefined;
    const plans = await plansOf(database.url, async (db) => {
      status = await readStatus({ db: () => db });
    });
    for (const part of Object.values(status ?? {})) expect(part).toMatchObject({ known: true });
    const scans = plans.flatMap(stepsOf).filter((step) => /Scan/.test(step));
    for (const table of ["posts", "post_embeddings", "user_deletions"])
      expect(scans.some((step) => step.includes(table))).toBe(true);
    expect(scans.filter((step) => LARGE.test(step))).toEqual([]);
  });

  it("the lag is that of the last thousand by their index", async () => {
    const found = await plan((db) => readLag(db, of, 1));
    expectIndex(found, "post_embeddings_answered");
    expectNoSort(found);
  });

  it("the posts that changed last come by their index, each with its own vectors only", async () => {
    const found = await plan((db) => findPostsWithState(db, 1, { latest: 20 }));
    expectIndex(found, "posts_updated_at");
    expectNoSort(found);
    expect(stepsOf(found).filter((step) => /post_embeddings/.test(step))).toEqual([
      expect.stringMatching(/^Index (Only )?Scan post_embeddings_(post_id_model_id_chunk_pk|state)$/),
    ]);
  });

  it("refused posts come by their index, and each is looked for by its own key", async () => {
    const found = await plan((db) => findFailedRows(db, of, 1, 50));
    expectIndex(found, "embedding_failures_latest");
    const steps = stepsOf(found);
    expect(steps.filter((step) => / posts/.test(step))).toEqual([
      expect.stringMatching(/^Index (Only )?Scan posts_(pkey|id_text_hash)$/),
    ]);
  });

  it("counting the refused posts reads no text", async () => {
    const steps = stepsOf(await plan((db) => countFailedRows(db, of, 1)));
    expect(steps.filter((step) => step.includes("Seq Scan posts"))).toEqual([]);
  });

  it("a run reads its own rows by their keys", async () => {
    const ids = Array.from({ length: 500 }, (_, n) => String(n * 7 + 1));
    const found = await plan((db) => readRowsToEmbed(db, of, 1, ids));
    expect(stepsOf(found).filter((step) => /Seq Scan post/.test(step))).toEqual([]);
  });

  it.each([1, 50])("a search for %s takes the nearest vectors from their index", async (limit) => {
    const { active: model } = await modelsInUse(db);
    const query = { vector: Float32Array.of(1, 2, 3, 4), model, limit };
    const plans = await plansOf(database.url, (db) => findNearestRows(db, of, query));
    const searching = plans.filter((found) => stepsOf(found).some((step) => step.includes("embeddings")));
    expect(searching.length).toBeGreaterThan(0);
    for (const found of searching) expectIndex(found, "post_embeddings_model_1");
  });
});

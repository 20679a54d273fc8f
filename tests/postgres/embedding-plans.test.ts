import { sql } from "drizzle-orm";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { posts } from "../../aftercommit.config.ts";
import { connect, type Database, disconnect } from "../../packages/aftercommit/src/db/client.ts";
import { withLongConnection } from "../../packages/aftercommit/src/db/long-connection.ts";
import { writeRows } from "../../packages/aftercommit/src/embeddings/write-rows.ts";
import { accept } from "../../packages/aftercommit/src/inbox/accept.ts";
import { leaseDue } from "../../packages/aftercommit/src/inbox/lease.ts";
import { type Model, readModels, readModelsInUse } from "../../packages/aftercommit/src/models/models.ts";
import { buildVectorIndex } from "../../packages/aftercommit/src/models/vector-index.ts";
import { enqueueRows, rowsLacking } from "../../packages/aftercommit/src/reembed/change-model.ts";
import { readInTransaction } from "../../packages/aftercommit/src/search/connection.ts";
import { findNearestRows } from "../../packages/aftercommit/src/search/nearest-rows.ts";
import { type EmbeddingSource, sourceOf } from "../../packages/aftercommit/src/source.ts";
import { readLag } from "../../packages/aftercommit/src/status/answer-lag.ts";
import { expectIndex, expectNoSort, type Plan, planOf, plansOf, stepsOf } from "../helpers/plan.ts";
import { startMigratedPostgres } from "../helpers/postgres.ts";
import { realPostgres } from "../helpers/real-postgres.ts";

const ROWS = 50_000;
const LARGE = /Seq Scan (posts|post_embeddings|pending)$/;
// The rows of these tables are wide, because of their texts and vectors.
const READS_ROWS = /^(Seq Scan|Index Scan|Bitmap Heap Scan) (posts|post_embeddings)/;

describe.skipIf(!realPostgres)(
  "with 50,000 posts and their vectors by two models (needs TEST_DATABASE_URL)",
  () => {
    let postgres: Awaited<ReturnType<typeof startMigratedPostgres>>;
    let db: Database;
    let source: EmbeddingSource;
    let models: { from: Model; to: Model };

    beforeAll(async () => {
      postgres = await startMigratedPostgres();
      db = connect(postgres.url, { statementTimeoutMs: 0 });
      await db.execute(sql`update aftercommit.models set dimensions = 4`);
      await db.execute(sql`insert into aftercommit.models (name, dimensions, chunker, state, index_type, completed_at)
      values ('other', 4, 2, 'building', 'halfvec', now())`);
      await db.execute(sql`insert into posts (title, body, author)
      select 'Post ' || n, repeat('word ' || n || ' ', 50), 'Alice' from generate_series(1, ${ROWS}::int) n`);
      await db.execute(sql`
      insert into post_embeddings (post_id, model_id, chunk, chunks, text_hash, start, length, tokens, embedding, changed_at)
      select p.id, m.id, 0, 1, md5('1000:' || concat_ws(E'\n\n', title, body))::uuid, 0, 10, 1,
        array[sin(p.id), cos(p.id), sin(p.id * 2), cos(p.id * 2)]::halfvec, case when p.id % 2 = 0 then now() end
      from posts p, aftercommit.models m where m.id = 1 or p.id % 100 > 0`);
      source = await sourceOf(db, posts);
      const [from, to] = await readModels(db);
      if (!from || !to) throw new Error("There are no two models");
      models = { from, to };
      await withLongConnection(postgres.url, async (client) => {
        await buildVectorIndex(client, posts.embeddings, from);
        for (const table of ["posts", "post_embeddings"]) await client.query(`vacuum (analyze) ${table}`);
      });
    });
    afterAll(async () => {
      await disconnect();
      await postgres.close();
    });

    const plan = (run: Parameters<typeof planOf>[1]) => planOf(postgres.url, run);
    const plans = (run: Parameters<typeof plansOf>[1]) => plansOf(postgres.url, run);
    const steps = (found: readonly Plan[]) => found.flatMap(stepsOf);
    const expectNoScan = (found: readonly Plan[]) =>
      expect(steps(found).filter((step) => LARGE.test(step))).toEqual([]);

    it.each([1, 50])("a search for %s takes the nearest vectors from their index", async (limit) => {
      const query = { vector: Float32Array.of(1, 2, 3, 4), model: models.from, limit, filter: undefined };
      const found = await plans(({ $client }) =>
        readInTransaction($client, (client) => findNearestRows(client, posts, query)),
      );
      const searching = found.filter((one) => stepsOf(one).some((step) => step.includes("embeddings")));
      expect(searching.length).toBeGreaterThan(0);
      for (const one of searching) expectIndex(one, "post_embeddings_model_1");
    });

    it("a switch looks for rows that the new model lacks in indexes only", async () => {
      const found = await plans((client) => rowsLacking(client, [source], models));
      expectNoScan(found);
      expect(steps(found).filter((step) => READS_ROWS.test(step))).toEqual([]);
    });

    it("a change of the model looks for the rows to embed in indexes only", async () => {
      const found = await plans((client) => enqueueRows(client, source, models));
      expectNoScan(found);
      expect(steps(found).filter((step) => READS_ROWS.test(step))).toEqual([]);
      await db.execute(sql`truncate aftercommit.pending`);
    });

    it("the vectors of a lease are written by the keys of its rows", async () => {
      const ids = Array.from({ length: 500 }, (_, n) => String(n * 7 + 1));
      await accept(
        db,
        "post",
        ids.map((rowId) => ({ rowId, queue: "batch", changedAt: null })),
      );
      await db.execute(sql`analyze aftercommit.pending`);
      const { token, entries } = await leaseDue(db, "post", "batch", 500);
      const passage = { input: "text", tokens: 1, start: 0, length: 4, vector: Float32Array.of(1, 2, 3, 4) };
      const textHash = "00000000-0000-0000-0000-000000000000";
      const rows = entries.map((entry, n) => ({
        ending: { entry, certain: true, kind: "done" } as const,
        changedAt: null,
        remove: n === 0,
        vectors: n === 0 ? [] : [{ modelId: 1, textHash, passages: [passage] }],
      }));
      const inUse = await readModelsInUse(db);
      const found = await plans((client) => writeRows(client, source, { token, models: inUse, rows }));
      expect(steps(found).some((step) => step.includes("post_embeddings"))).toBe(true);
      expect(steps(found).filter((step) => /Seq Scan (posts|post_embeddings)$/.test(step))).toEqual([]);
    });

    it("the lag is that of the last thousand changes, by their index", async () => {
      const found = await plan((client) => readLag(client, posts));
      expect(stepsOf(found)).toContainEqual(
        expect.stringMatching(/^Index (Only )?Scan post_embeddings_model_id_updated_at/),
      );
      expectNoSort(found);
      expectNoScan([found]);
    });
  },
);

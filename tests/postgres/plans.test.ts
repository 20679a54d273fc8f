import { sql } from "drizzle-orm";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { posts } from "../../aftercommit.config.ts";
import { connect, type Database, disconnect } from "../../packages/aftercommit/src/db/client.ts";
import {
  findOpenDeletions,
  findRecentDeletions,
  readDeletion,
} from "../../packages/aftercommit/src/deletions/ledger.ts";
import { readRows } from "../../packages/aftercommit/src/embeddings/read-rows.ts";
import { reconcile } from "../../packages/aftercommit/src/embeddings/reconcile.ts";
import { leaseDue, leaseRow, leaseSettled } from "../../packages/aftercommit/src/inbox/lease.ts";
import { readModelsInUse } from "../../packages/aftercommit/src/models/models.ts";
import { sourceOf } from "../../packages/aftercommit/src/source.ts";
import { expectIndex, expectNoSort, type Plan, planOf, plansOf, stepsOf } from "../helpers/plan.ts";
import { startMigratedPostgres } from "../helpers/postgres.ts";
import { realPostgres } from "../helpers/real-postgres.ts";

const LARGE = /Seq Scan (posts|post_embeddings|post_words|pending|deletions)$/;

const expectNoScan = (plans: readonly Plan[]) =>
  expect(plans.flatMap(stepsOf).filter((step) => LARGE.test(step))).toEqual([]);

describe.skipIf(!realPostgres)("with 50,000 rows of each table (needs TEST_DATABASE_URL)", () => {
  let postgres: Awaited<ReturnType<typeof startMigratedPostgres>>;
  let db: Database;

  beforeAll(async () => {
    postgres = await startMigratedPostgres();
    db = connect(postgres.url);
    await db.execute(sql`update aftercommit.models set dimensions = 3`);
    await db.execute(sql`
      insert into posts (title, body, author) select 'Title ' || n, repeat('Body ', 200), 'A' from generate_series(1, 50000) n`);
    await db.execute(sql`
      insert into post_embeddings (post_id, model_id, chunk, chunks, text_hash, start, length, tokens, embedding)
      select id, 1, 0, 1, md5('1000:' || concat_ws(E'\n\n', title, body))::uuid, 0, 10, 1, '[1,2,3]' from posts`);
    await db.execute(sql`
      insert into aftercommit.post_words (post_id, passage, start, length, text_hash, language, size, words)
      select id, 0, 0, 10, md5('1000:' || concat_ws(E'\\n\\n', title, body))::uuid, '', 1, '' from posts`);
    await db.execute(sql`
      insert into aftercommit.pending (source, row_id, queue, version, accepted_at, accepted_xid, settle_xid, next_attempt)
      select 'post', n::text, case when n % 10 = 0 then 'realtime' else 'batch' end, n, now(), '1',
        case when n % 100 = 1 then '1'::xid8 end, now() - interval '1 second' from generate_series(1, 50000) n`);
    await db.execute(sql`
      insert into aftercommit.deletions (source, row_id, position, accepted_xid, required_systems, completed_at, outcome)
      select 'user', n::text, '1', '1', '{crm}', case when n % 20 > 0 then now() end,
        case when n % 20 > 0 then 'completed' end from generate_series(1, 50000) n`);
    const ours = ["aftercommit.post_words", "aftercommit.pending", "aftercommit.deletions"];
    for (const table of ["posts", "post_embeddings", ...ours])
      await db.execute(sql.raw(`vacuum analyze ${table}`));
  });
  afterAll(async () => {
    await disconnect();
    await postgres.close();
  });

  const plan = (run: Parameters<typeof planOf>[1]) => planOf(postgres.url, run);
  const plans = (run: Parameters<typeof plansOf>[1]) => plansOf(postgres.url, run);

  it("leases the due entries of a queue by their index, in order", async () => {
    const due = await plan((client) => leaseDue(client, "post", "batch", 100));
    expectIndex(due, "pending_due");
    expectNoScan([due]);
  });

  it("leases the entries that are certain by now by an index that has no others", async () => {
    expectIndex(await plan((client) => leaseSettled(client, "post", 100)), "pending_settling");
  });

  it("leases the entry of one row by its key", async () => {
    expectIndex(await plan((client) => leaseRow(client, "post", "17")), "pending_pkey");
  });

  it("reads leased rows and what is stored of them by their keys", async () => {
    const source = await sourceOf(db, posts);
    const { active } = await readModelsInUse(db);
    const entries = ["1", "2", "3"].map((rowId) => ({
      ...{ rowId, queue: "batch" as const, version: "1", acceptedXid: "1", changedAt: null, attempts: 1 },
    }));
    const read = await plans((client) => readRows(client, source, entries, [active]));
    expect(read).toHaveLength(3);
    expectNoScan(read);
  });

  it("reconciles by index-only scans, and by reading no row", async () => {
    const source = await sourceOf(db, posts);
    const found = await plans((client) => reconcile(client, source, { dryRun: true }));
    const steps = found.flatMap(stepsOf);
    expect(steps).toContain("Index Only Scan posts_pkey");
    expectNoScan(found);
    expect(steps.filter((step) => /^(Index Scan|Bitmap Heap Scan)/.test(step))).toEqual([]);
  });

  it("finds open and recent deletions by their indexes, in order", async () => {
    for (const after of ["0", "25000"]) {
      const open = await plan((client) =>
        findOpenDeletions(client, { source: "user", environment: "proj/env", after, limit: 100 }),
      );
      expectIndex(open, "deletions_open");
      expectNoSort(open);
    }
    const newest = await plan((client) => findRecentDeletions(client, 6));
    expectIndex(newest, "deletions_newest");
    expectNoSort(newest);
    expectIndex(await plan((client) => readDeletion(client, "17")), "deletions_pkey");
  });

  it("reads the counts of a table from no more than 10,001 entries", async () => {
    expectNoScan(await plans((client) => client.execute(sql`select * from aftercommit.status`)));
  });
});

import { sql } from "drizzle-orm";
import { afterAll, beforeAll, describe, it } from "vitest";
import { readUsage } from "../../drizzle/queries/embedding-usage.ts";
import { findRecentDeletions } from "../../drizzle/queries/recent-deletions.ts";
import { findIncompleteDeletions, readDeletion } from "../../drizzle/queries/user-deletions.ts";
import { startDatabase } from "../deletions/database.ts";
import { realPostgres } from "../real-postgres.ts";
import { expectIndex, expectNoSort, planOf } from "./plan.ts";

describe.skipIf(!realPostgres)("with 100,000 deletions, 5,000 of them open (needs TEST_DATABASE_URL)", () => {
  let database: Awaited<ReturnType<typeof startDatabase>>;

  beforeAll(async () => {
    database = await startDatabase();
    await database.db.execute(sql`
      insert into user_deletions (user_id, requested_at, systems, completed_at)
      select md5(n::text)::uuid, now() - n * interval '1 minute', '{"webhook:crm": {}}',
        case when n % 20 > 0 then now() - n * interval '1 minute' end
      from generate_series(1, 100000) n`);
    await database.db.execute(sql`
      insert into embedding_usage (day, model, calls, tokens)
      select date '2026-01-01' - n, 'model ' || m, 1, 1 from generate_series(1, 10000) n, generate_series(1, 10) m`);
    await database.db.execute(sql`vacuum analyze user_deletions`);
    await database.db.execute(sql`vacuum analyze embedding_usage`);
  });
  afterAll(() => database.close());

  const plan = (run: Parameters<typeof planOf>[1]) => planOf(database.url, run);

  it("resumption finds the open ones by their index, in order, page after page", async () => {
    for (const after of [undefined, "80000000-0000-0000-0000-000000000000"]) {
      const pages = await plan((db) =>
        findIncompleteDeletions(db, { environment: "proj/env", after, limit: 100 }),
      );
      expectIndex(pages, "user_deletions_incomplete");
      expectNoSort(pages);
    }
  });

  it("the page reads the newest by their index", async () => {
    const newest = await plan((db) => findRecentDeletions(db, 6));
    expectIndex(newest, "user_deletions_newest");
    expectNoSort(newest);
  });

  it("a run finds its deletion by the key", async () => {
    expectIndex(
      await plan((db) => readDeletion(db, "80000000-0000-0000-0000-000000000000")),
      "user_deletions_pkey",
    );
  });

  it("the page reads the last days of usage by the key", async () => {
    expectIndex(await plan((db) => readUsage(db, 7)), "embedding_usage_day_model_pk");
  });
});

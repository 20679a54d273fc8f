import { sql } from "drizzle-orm";
import { beforeEach, describe, expect, it } from "vitest";
import { posts } from "@/aftercommit.config.ts";
import { FIRST_MODEL } from "@/tests/helpers/postgres-template.ts";
import { databaseForTests } from "@/tests/helpers/posts-database.ts";
import { readLag } from "./answer-lag.ts";

const database = databaseForTests({ ...FIRST_MODEL, dimensions: 4 });

/** Posts that were embedded `ago`, and changed `seconds` before that; without `seconds`, posts of a backfill. */
const embedded = (count: number, ago: string, seconds: number | null) =>
  database.db.execute(sql`
    insert into post_embeddings (post_id, model_id, chunk, chunks, text_hash, start, length, tokens, embedding, updated_at, changed_at)
    select (select coalesce(max(post_id), 0) from post_embeddings) + id, 1, chunk, 2, md5('')::uuid, 0, 1, 1,
      '[1,2,3,4]', now() - ${ago}::interval, now() - ${ago}::interval - ${seconds}::float8 * interval '1 second'
    from generate_series(1, ${count}::int) id, generate_series(0, 1) chunk`);

const lag = () => readLag(database.db, posts);

beforeEach(() => database.db.execute(sql`truncate post_embeddings`));

describe("the lag of changes", () => {
  it("is unknown if nothing was changed", async () => {
    expect(await lag()).toBeUndefined();
  });

  it("counts each change once, with its median and 95th percentile", async () => {
    await embedded(90, "1 minute", 1);
    await embedded(10, "2 minutes", 5);
    expect(await lag()).toEqual({ p50: 1, p95: 5, changes: 100 });
  });

  it("ignores backfills and reconciliations, for which nothing waited", async () => {
    await embedded(100, "1 minute", null);
    expect(await lag()).toBeUndefined();
    await embedded(1, "1 minute", 2);
    expect(await lag()).toEqual({ p50: 2, p95: 2, changes: 1 });
  });

  it("ignores what is older than a day", async () => {
    await embedded(10, "25 hours", 100);
    await embedded(1, "23 hours", 2);
    expect(await lag()).toMatchObject({ p50: 2, changes: 1 });
  });

  it("is that of the last thousand", async () => {
    await embedded(1_000, "1 minute", 1);
    await embedded(1_000, "2 minutes", 50);
    expect(await lag()).toEqual({ p50: 1, p95: 1, changes: 1_000 });
  });
});

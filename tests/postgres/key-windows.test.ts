import { sql } from "drizzle-orm";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { posts } from "../../aftercommit.config.ts";
import { connect, type Database, disconnect } from "../../packages/aftercommit/src/db/client.ts";
import { defineEmbedding } from "../../packages/aftercommit/src/define.ts";
import { reconcile } from "../../packages/aftercommit/src/embeddings/reconcile.ts";
import { migrate } from "../../packages/aftercommit/src/migrate/migrate.ts";
import { sourceOf } from "../../packages/aftercommit/src/source.ts";
import { startFreshPostgres, startMigratedPostgres } from "../helpers/postgres.ts";
import { FIRST_MODEL } from "../helpers/postgres-template.ts";
import { realPostgres } from "../helpers/real-postgres.ts";

describe.skipIf(!realPostgres)("a table of more than a window of keys (needs TEST_DATABASE_URL)", () => {
  // A window has 20,000 keys; these include the last of one and the first of the next.
  const MISSING = [1, 2, 19_999, 20_000, 20_001, 20_002, 40_000, 40_100];
  const ORPHANED = [-1, 50_000];
  let postgres: Awaited<ReturnType<typeof startMigratedPostgres>>;
  let db: Database;

  beforeAll(async () => {
    postgres = await startMigratedPostgres();
    db = connect(postgres.url);
    await db.execute(sql`insert into posts (id, title, body, author)
      select n, 'Post ' || n, 'Body', 'Alice' from generate_series(1, 40100) n`);
    await db.execute(sql`
      insert into post_embeddings (post_id, model_id, chunk, chunks, text_hash, start, length, tokens, embedding)
      select id, 1, 0, 1, md5('1000:' || concat_ws(E'\n\n', title, body))::uuid, 0, 1, 1, '[1,2,3,4]'::halfvec from posts
      where id <> all(${sql.param(MISSING)}::bigint[])
      union all select n, 1, 0, 1, md5('')::uuid, 0, 1, 1, '[1,2,3,4]'::halfvec from unnest(${sql.param(ORPHANED)}::bigint[]) n`);
    await db.execute(sql`
      insert into aftercommit.post_words (post_id, passage, start, length, text_hash, language, size, words)
      select post_id, 0, 0, 1, text_hash, '', 1, '' from post_embeddings`);
  });
  afterAll(async () => {
    await disconnect();
    await postgres.close();
  });

  it.each([false, true])("is reconciled window by window, each row once, with full=%s", async (full) => {
    const source = await sourceOf(db, posts);
    const found = await reconcile(db, source, { full });
    expect(found).toEqual({ missing: MISSING.length, orphaned: ORPHANED.length, stopped: false });
    const { rows } = await db.execute<{ id: number }>(
      sql`delete from aftercommit.pending returning row_id::int as id`,
    );
    expect(rows.map(({ id }) => id).toSorted((a, b) => a - b)).toEqual(
      [...MISSING, ...ORPHANED].toSorted((a, b) => a - b),
    );
  });
});

describe.skipIf(!realPostgres)(
  "a table whose keys sort in another way than other texts (needs TEST_DATABASE_URL)",
  () => {
    const words = defineEmbedding({ table: "words", row: "word", key: "id", text: ["meaning"] });
    let postgres: Awaited<ReturnType<typeof startFreshPostgres>>;

    beforeAll(async () => {
      postgres = await startFreshPostgres();
    });
    afterAll(async () => {
      await disconnect();
      await postgres.close();
    });

    it("is compared in the order that its keys have there", async () => {
      const db = connect(postgres.url);
      await db.execute(sql`create table words (id text collate "und-x-icu" primary key, meaning text)`);
      await db.execute(sql`insert into words
      select case n % 2 when 0 then 'A' else 'a' end || lpad(n::text, 5, '0'), 'Meaning' from generate_series(1, 40100) n`);
      await migrate({ url: postgres.url, declarations: [words], model: FIRST_MODEL });
      await db.execute(sql`
      insert into word_embeddings (word_id, model_id, chunk, chunks, text_hash, start, length, tokens, embedding)
      select id, 1, 0, 1, md5('')::uuid, 0, 1, 1, '[1,2,3,4]'::halfvec from words`);
      await db.execute(sql`
      insert into aftercommit.word_words (word_id, passage, start, length, text_hash, language, size, words)
      select id, 0, 0, 1, md5('')::uuid, '', 1, '' from words`);
      const found = await reconcile(db, await sourceOf(db, words));
      expect(found).toEqual({ missing: 0, orphaned: 0, stopped: false });
    });
  },
);

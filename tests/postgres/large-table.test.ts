import { sql } from "drizzle-orm";
import { beforeEach, describe, expect, it } from "vitest";
import { embeddingFailures } from "../../drizzle/embedding-tables.ts";
import { countRows, readCounts } from "../../drizzle/queries/embeddings/counts.ts";
import { countRowsBehind } from "../../drizzle/queries/embeddings/find-rows-behind.ts";
import { replaceEmbeddings } from "../../drizzle/queries/embeddings/replace-embeddings.ts";
import { posts as postsTable } from "../../drizzle/schema.ts";
import { posts } from "../../lib/embeddings/posts.ts";
import { rowsBehind } from "../../lib/embeddings/rows-behind.ts";
import { FIRST_MODEL } from "../postgres-template.ts";
import { realPostgres } from "../real-postgres.ts";
import { databaseForTests } from "../tasks/database.ts";

describe.skipIf(!realPostgres)("a table with long texts (needs TEST_DATABASE_URL)", () => {
  const database = databaseForTests({ ...FIRST_MODEL, dimensions: 4 });

  beforeEach(async () => {
    await database.db.delete(postsTable);
  });

  describe("and more rows than one statement looks at", () => {
    // A statement looks at 50,000: the last row of one and the first of the next among these.
    const BEHIND = [1, 2, 49_999, 50_000, 50_001, 50_002, 50_100];
    const ROWS = 50_100;

    async function insertRows(behind: readonly number[]): Promise<void> {
      await database.db.execute(sql`insert into posts (id, title, body, author)
        select n, 'Post ' || n, 'Body', 'Alice' from generate_series(1, ${ROWS}::int) n`);
      await database.db.execute(sql`insert into post_embeddings
        (post_id, model_id, chunk, chunks, text_hash, start, length, tokens, embedding)
        select id, 1, 0, 1, text_hash, 0, 1, 1, '[1,2,3,4]' from posts
        where id <> all(${sql.param(behind)}::bigint[])`);
    }

    it("gives its rows that are behind in one list, and counts them all", async () => {
      await insertRows(BEHIND);
      const lists: string[][] = [];
      for await (const list of rowsBehind(posts, database.db)) lists.push(list);
      expect(lists).toEqual([BEHIND.map(String)]);
      expect(await countRowsBehind(database.db, posts.of, 1)).toEqual({ behind: BEHIND.length, all: ROWS });
      await countRows(database.db, posts.of, 1);
      expect((await readCounts(database.db, posts.of, 1))?.counts).toEqual({
        embedded: ROWS - BEHIND.length,
        pending: BEHIND.length,
        stale: 0,
        empty: 0,
      });
    });

    it("looks each refusal up once, also where the planner does not know yet how many there are", async () => {
      await insertRows(BEHIND);
      await database.db.execute(sql`delete from post_embeddings`);
      await database.db.execute(sql`alter table embedding_failures set (autovacuum_enabled = off)`);
      await database.db.execute(sql`analyze embedding_failures`);
      await database.db.execute(sql`insert into embedding_failures
        (source, row_id, model_id, text_hash, error, tries, next_try)
        select 'posts', id::text, 1, text_hash, 'refused', 1, now() + interval '1 hour' from posts where id > 100`);
      // Each statement ends by the time-out of the product's pool, or in time.
      expect(await countRowsBehind(database.db, posts.of, 1)).toEqual({ behind: 100, all: ROWS });
      const lists: string[][] = [];
      for await (const list of rowsBehind(posts, database.db)) lists.push(list);
      expect(lists.map((list) => list.length)).toEqual([100]);
      await database.db.delete(embeddingFailures);
    });

    it("gives full lists though one begins in one look and ends in the next", async () => {
      const last = Array.from({ length: 1_400 }, (_, n) => ROWS - 1_399 + n);
      await insertRows(last);
      const lists: string[][] = [];
      for await (const list of rowsBehind(posts, database.db)) lists.push(list);
      expect(lists.map((list) => list.length)).toEqual([1_000, 400]);
      expect(lists.flat()).toEqual(last.map(String));
    });
  });

  it("has a row of 11,000 chunks written, each where it belongs", async () => {
    const id = String(await database.insertPost());
    const { rows } = await database.db.execute<{ hash: string }>(sql`select text_hash as hash from posts`);
    const chunks = Array.from({ length: 11_000 }, (_, n) => ({
      vector: Float32Array.of(1, n, 0, 0),
      start: n,
      length: 1,
      tokens: 1,
    }));
    const row = { id, textHash: rows[0]?.hash ?? null, chunks };
    expect(await replaceEmbeddings(database.db, posts.of, 1, [row], null)).toEqual(
      new Map([[id, "written"]]),
    );
    const written = await database.db.execute(sql`select count(*)::int as count from post_embeddings
      where chunk = start and (embedding::real[])[2]::int = (array[chunk]::halfvec::real[])[1]::int`);
    expect(written.rows).toEqual([{ count: 11_000 }]);
  });
});

import { sql } from "drizzle-orm";
import { beforeEach, expect } from "vitest";
import { posts } from "../../aftercommit.config.ts";
import { posts as postsTable } from "../../drizzle/schema.ts";
import type { EmbeddingDeclaration } from "../../packages/aftercommit/src/declare/declaration.ts";
import { embedLease } from "../../packages/aftercommit/src/embeddings/embed-lease.ts";
import { embedOne } from "../../packages/aftercommit/src/embeddings/embed-one.ts";
import type { EmbedResult } from "../../packages/aftercommit/src/embeddings/embed-result.ts";
import { passages } from "../../packages/aftercommit/src/embeddings/passages.ts";
import { accept } from "../../packages/aftercommit/src/inbox/accept.ts";
import type { Queue } from "../../packages/aftercommit/src/inbox/entry.ts";
import { leaseDue } from "../../packages/aftercommit/src/inbox/lease.ts";
import { type EmbeddingSource, sourceOf } from "../../packages/aftercommit/src/source.ts";
import { FIRST_MODEL } from "./postgres-template.ts";
import { databaseForTests } from "./posts-database.ts";
import { strictProviderForTests, vectorOf } from "./providers/strict-provider.ts";
import { until } from "./until.ts";

export const MODEL = { ...FIRST_MODEL, dimensions: 8 };

type Id = bigint | string;
type Pending = {
  id: string;
  queue: Queue;
  leased: boolean;
  attempts: number;
  error: string | null;
  /** Until the next attempt. */
  seconds: number;
};

export const paragraphs = (count: number) =>
  Array.from({ length: count }, (_, n) => `Paragraph ${n}. ${"lorem ipsum dolor ".repeat(250)}`).join("\n\n");

/** A database with a model of 8 dimensions and a provider for the tests of a file. Each test starts without rows. */
export function embeddingForTests(declaration: () => EmbeddingDeclaration = () => posts) {
  const database = databaseForTests(MODEL);
  const provider = strictProviderForTests();

  beforeEach(async () => {
    await database.db.execute(sql`truncate posts, post_embeddings, aftercommit.post_words, aftercommit.pending, aftercommit.rate_limits,
      aftercommit.usage, aftercommit.drains`);
    await database.db.execute(sql`delete from aftercommit.models where id <> 1`);
    await database.db.execute(sql`update aftercommit.models set state = 'active', paused_until = null`);
    await database.db.execute(sql`update aftercommit.sources set woken_at = null, reconciled_at = null`);
  });

  const source = (): Promise<EmbeddingSource> => sourceOf(database.db, declaration());

  async function change(
    ids: readonly Id[],
    queue: Queue = "realtime",
    changedAt: string | null = null,
  ): Promise<void> {
    await accept(
      database.db,
      "post",
      ids.map((id) => ({ rowId: String(id), queue, changedAt })),
    );
    // A real server may work for others: until their transactions have ended, no read is certain (rule 4).
    const areCertain = async () =>
      (
        await database.db.execute(sql`select from aftercommit.pending
          where source = 'post' and accepted_xid > pg_snapshot_xmin(pg_current_snapshot())`)
      ).rowCount === 0;
    await until(areCertain, { what: "end of all transactions before the change" });
  }

  const isPending = async (id: Id) =>
    (await database.db.execute(sql`select from aftercommit.pending where row_id = ${String(id)}`))
      .rowCount === 1;

  return {
    database,
    provider,
    source,
    /** Records that rows may have changed, like the route. */
    change,
    inputs: () => provider.requests.flatMap(({ input }) => input),

    async insertPosts(count: number, bodyOf = (n: number) => `Body ${n}`): Promise<string[]> {
      const values = Array.from({ length: count }, (_, n) => ({
        title: "Post",
        body: bodyOf(n),
        author: "Alice",
      }));
      const rows = await database.db.insert(postsTable).values(values).returning({ id: postsTable.id });
      return rows.map(({ id }) => String(id));
    },

    /** A realtime run about a row, which has changed if the inbox has no entry. */
    async embedPost(id: Id) {
      if (!(await isPending(id))) await change([id]);
      return embedOne(declaration(), String(id), { db: database.db });
    },

    /** The work of one lease of a drain, for all due rows, after these have changed. */
    async work(changed: readonly Id[] = []): Promise<EmbedResult> {
      await change(changed, "batch");
      const lease = await leaseDue(database.db, "post", "batch", 5_000);
      const worker = { db: database.db, source: await source() };
      return embedLease({ ...worker, priority: false, builds: true }, lease);
    },

    async pending(): Promise<Pending[]> {
      const { rows } = await database.db.execute<Pending>(sql`
        select row_id as id, queue, lease is not null as leased, attempts, error,
          extract(epoch from next_attempt - clock_timestamp())::float8 as seconds
        from aftercommit.pending order by length(row_id), row_id`);
      return rows;
    },

    /** Makes everything that waits in the inbox due now. */
    letTimeCome: () =>
      database.db.execute(sql`update aftercommit.pending set next_attempt = clock_timestamp()`),

    /** Fails unless the stored vectors are exactly those of the passages of a post's text. */
    async expectEmbedded(id: bigint, { title, body }: { title: string; body: string }): Promise<void> {
      const text = `${title}\n\n${body}`;
      const made = passages(text, { title, maxTokens: declaration().chunkTokens });
      const rows = await database.embeddingsOf(id);
      expect(rows.map(({ chunk, chunks, start, length }) => ({ chunk, chunks, start, length }))).toEqual(
        made.map(({ start, length }, chunk) => ({ chunk, chunks: made.length, start, length })),
      );
      for (const [chunk, { input }] of made.entries())
        for (const [place, number] of vectorOf(input).entries())
          expect(rows[chunk]?.embedding?.[place]).toBeCloseTo(number, 2);
    },
  };
}

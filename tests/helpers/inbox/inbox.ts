import { sql } from "drizzle-orm";
import { afterAll, beforeAll, beforeEach } from "vitest";
import { connect, type Database, disconnect } from "../../../packages/aftercommit/src/db/client.ts";
import type { Queue } from "../../../packages/aftercommit/src/inbox/entry.ts";
import { type EmbeddingSource, sourceOf } from "../../../packages/aftercommit/src/source.ts";
import { startFreshPostgres } from "../postgres.ts";
import { createNotes, notes } from "./notes.ts";

export type Entry = {
  id: string;
  queue: Queue;
  version: string;
  changedAt: string | null;
  settleXid: string | null;
  lease: string | null;
  attempts: number;
  error: string | null;
  /** Until the next attempt, rounded up to half minutes. */
  seconds: number;
};

/** An inbox for the tests of a file, each of which starts with ten notes, one of them empty. */
export function inboxForTests() {
  let postgres: Awaited<ReturnType<typeof startFreshPostgres>>;
  let db: Database;
  let source: EmbeddingSource;

  beforeAll(async () => {
    postgres = await startFreshPostgres();
    await createNotes(postgres.url);
    db = connect(postgres.url);
    source = await sourceOf(db, notes);
  });
  afterAll(async () => {
    await disconnect();
    await postgres.close();
  });
  beforeEach(async () => {
    await db.execute(`truncate notes, note_embeddings, aftercommit.note_words, aftercommit.pending, aftercommit.drains;
      update aftercommit.sources set woken_at = null;
      update aftercommit.models set paused_until = null;
      insert into notes select n, 'text ' || n from generate_series(1, 10) n`);
  });

  return {
    get db() {
      return db;
    },
    get source() {
      return source;
    },
    async entries(): Promise<Entry[]> {
      const { rows } = await db.execute<Entry>(sql`
        select row_id as id, queue, version::text, changed_at::text as "changedAt", settle_xid::text as "settleXid",
          lease, attempts, error, (ceil(extract(epoch from next_attempt - clock_timestamp()) / 30) * 30)::int as seconds
        from aftercommit.pending order by row_id`);
      return rows;
    },
    /** Advances the inbox's clock. */
    async pass(seconds: number): Promise<void> {
      await db.execute(
        sql`update aftercommit.pending set next_attempt = next_attempt - interval '1 second' * ${seconds}`,
      );
      await db.execute(
        sql`update aftercommit.drains set seen_at = seen_at - interval '1 second' * ${seconds}`,
      );
      await db.execute(
        sql`update aftercommit.sources set woken_at = woken_at - interval '1 second' * ${seconds}`,
      );
    },
  };
}

export const edit = (rowId: string, changedAt: string | null = null) =>
  ({ rowId, queue: "realtime", changedAt }) as const;
export const backfill = (rowId: string) => ({ rowId, queue: "batch", changedAt: null }) as const;

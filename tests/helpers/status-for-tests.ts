import { tasks } from "@trigger.dev/sdk";
import { sql } from "drizzle-orm";
import { afterAll, afterEach, beforeAll, beforeEach, vi } from "vitest";
import * as config from "../../aftercommit.config.ts";
import { declarationsOf } from "../../packages/aftercommit/src/declare/declarations.ts";
import { accept } from "../../packages/aftercommit/src/inbox/accept.ts";
import type { Part } from "../../packages/aftercommit/src/status/part.ts";
import { readStatus } from "../../packages/aftercommit/src/status/read-status.ts";
import { databaseForTests } from "./posts-database.ts";
import { startTriggerServer } from "./trigger-server.ts";

const KEY = "tr_dev_status";

export const declarations = declarationsOf(config);

export function known<T>(part: Part<T> | undefined): T {
  if (part?.known) return part.value;
  throw new Error(part?.problem ?? "There is no such part");
}

type Pending = { queue?: "realtime" | "batch"; changedAt?: Date };

/** An empty database and a Trigger.dev for each test of a file, and the status that the page shows of them. */
export function statusForTests() {
  const database = databaseForTests();
  let trigger: Awaited<ReturnType<typeof startTriggerServer>>;

  /** The result of embedding a post: one vector, or the marker of a blank text. */
  async function embed(id: bigint, { seconds, blank = false }: { seconds?: number; blank?: boolean } = {}) {
    const vector = blank ? null : JSON.stringify(Array.from({ length: 1_536 }, () => 0.1));
    await database.db.execute(sql`insert into public.post_embeddings
      (post_id, model_id, chunk, chunks, text_hash, start, length, tokens, embedding, changed_at, updated_at)
      select ${id}, id, 0, ${blank ? 0 : 1}, gen_random_uuid(), 0, 1, 1, ${vector}::halfvec,
        now() - ${seconds ?? null}::float8 * interval '1 second', now()
      from aftercommit.models where state = 'active'`);
  }

  /** The result of accepting a post's change. */
  const pend = (id: bigint, { queue = "realtime", changedAt }: Pending = {}) =>
    accept(database.db, "post", [{ rowId: String(id), queue, changedAt: changedAt?.toISOString() ?? null }]);

  /** The result of the provider's failure on a post's text. */
  async function fail(id: bigint, error = "The input was refused."): Promise<void> {
    await pend(id);
    await database.db.execute(sql`update aftercommit.pending set error = ${error}, attempts = 1, queue = 'batch',
      next_attempt = clock_timestamp() + interval '1 minute' where source = 'post' and row_id = ${String(id)}`);
  }

  async function status() {
    const read = await readStatus(declarations, { db: () => database.db });
    const [posts] = read.tables;
    return { ...known(posts?.status), runs: read.runs, deletions: known(read.deletions).latest };
  }

  async function triggerRun(tag: string): Promise<string> {
    const { id } = await tasks.trigger("create-embedding-for-post", {}, { tags: [tag] });
    return id;
  }

  beforeAll(async () => {
    trigger = await startTriggerServer(KEY);
  });
  afterAll(() => trigger.close());
  beforeEach(async () => {
    vi.stubEnv("TRIGGER_SECRET_KEY", KEY);
    vi.stubEnv("TRIGGER_API_URL", trigger.url);
    vi.stubEnv("TRIGGER_PROJECT_REF", "proj_tests");
    await database.db.execute(
      sql`truncate public.posts, public.post_embeddings, aftercommit.pending, aftercommit.usage, aftercommit.deletions`,
    );
  });
  afterEach(() => vi.unstubAllEnvs());

  return { database, embed, pend, fail, status, triggerRun, triggerUrl: () => trigger.url };
}

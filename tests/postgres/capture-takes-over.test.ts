import { sql } from "drizzle-orm";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from "vitest";
import * as config from "../../aftercommit.config.ts";
import { lastingFeed } from "../../packages/aftercommit/src/capture/lasting-feed.ts";
import { declarationsOf } from "../../packages/aftercommit/src/declare/declarations.ts";
import { databaseForTests } from "../helpers/posts-database.ts";
import { startTriggerServer } from "../helpers/trigger-server.ts";

// Slots belong to the cluster, which other tests share.
const SLOT = `takes_over_${process.pid}`;
const database = databaseForTests();
let trigger: Awaited<ReturnType<typeof startTriggerServer>>;
let logged: ReturnType<typeof vi.spyOn>;

beforeAll(async () => {
  trigger = await startTriggerServer("tr_dev_takes_over");
});
afterAll(() => trigger.close());
beforeEach(() => {
  vi.stubEnv("TRIGGER_API_URL", trigger.url);
  vi.stubEnv("TRIGGER_SECRET_KEY", "tr_dev_takes_over");
  logged = vi.spyOn(console, "info").mockImplementation(() => {});
});
afterEach(async () => {
  await database.db.execute(sql`select pg_drop_replication_slot(${SLOT})`);
  await database.db.execute(sql`drop publication aftercommit`);
  await database.db.execute(
    sql`truncate posts, post_embeddings, aftercommit.post_words, aftercommit.pending`,
  );
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

/** The first start of capture, in a database that was just migrated. */
async function start(): Promise<void> {
  await database.db.execute(
    sql`update aftercommit.sources set reconciled_at = now(), fully_reconciled_at = null`,
  );
  await lastingFeed({ db: database.db, declarations: declarationsOf(config), slot: SLOT }).open();
}

it("capture's first start compares no texts in a table without vectors", async () => {
  await database.insertPost();
  await start();
  expect(logged.mock.calls.flat().join()).toMatch(
    /"capture.reconciled","source":"post","full":false,"missing":1/,
  );
});

it("capture that takes over from another source compares the texts, as migrate asked for", async () => {
  await database.insertPost();
  await database.db.execute(sql`
    insert into post_embeddings (post_id, model_id, chunk, chunks, text_hash, start, length, tokens)
    select id, 1, 0, 0, md5('of the declaration before')::uuid, 0, 0, 0 from posts`);
  await start();
  expect(logged.mock.calls.flat().join()).toMatch(/"capture.reconciled","source":"post","full":true/);
});

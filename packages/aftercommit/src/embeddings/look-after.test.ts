import { runs } from "@trigger.dev/sdk";
import { sql } from "drizzle-orm";
import { PgDialect } from "drizzle-orm/pg-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { posts } from "@/aftercommit.config.ts";
import { embeddingForTests } from "@/tests/helpers/embedding.ts";
import { executeTask, loadTasks, outputOf, taskOf } from "@/tests/helpers/execute-task.ts";
import { startTriggerServer } from "@/tests/helpers/trigger-server.ts";
import { withLongConnection } from "../db/long-connection.ts";
import { readModelsInUse } from "../models/models.ts";
import { dropVectorIndex } from "../models/vector-index.ts";
import { lookAfter } from "./look-after.ts";

const KEY = "tr_dev_look_after";
const SCHEDULE = "reconcile-post-embeddings";
const dialect = new PgDialect();
const tests = embeddingForTests();
const { database, change, work, pending, insertPosts } = tests;

let trigger: Awaited<ReturnType<typeof startTriggerServer>>;

beforeAll(async () => {
  trigger = await startTriggerServer(KEY);
  await loadTasks(async () => {
    await import("@/trigger/reconcile-post-embeddings.ts");
    await import("@/trigger/index-post-embeddings.ts");
  });
});
beforeEach(() => {
  vi.stubEnv("TRIGGER_API_URL", trigger.url);
  vi.stubEnv("TRIGGER_SECRET_KEY", KEY);
});
afterEach(async () => {
  for await (const { id } of runs.list({ status: ["QUEUED"] })) await runs.cancel(id);
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});
afterAll(() => trigger.close());

const look = () => lookAfter(posts, { db: database.db });
const ofSource = (set: ReturnType<typeof sql>) =>
  database.db.execute(sql`update aftercommit.sources set ${set} where name = 'post'`);
const isReconciled = () => ofSource(sql`reconciled_at = now(), fully_reconciled_at = now()`);

/** While the work runs, the table of words lacks a column, and what reads it fails. */
async function withoutColumn(column: string, work: () => Promise<unknown>): Promise<void> {
  vi.spyOn(console, "error").mockImplementation(() => {});
  await database.db.execute(sql.raw(`alter table aftercommit.post_words rename ${column} to other`));
  try {
    await work();
  } finally {
    await database.db.execute(sql.raw(`alter table aftercommit.post_words rename other to ${column}`));
  }
}

async function queued(): Promise<string[]> {
  const tasks: string[] = [];
  for await (const { taskIdentifier } of runs.list({ status: ["QUEUED"] })) tasks.push(taskIdentifier);
  return tasks;
}

it("is scheduled every minute, only in deployments, and one pass waits for another", () => {
  expect(taskOf(SCHEDULE)).toMatchObject({
    schedule: { cron: "* * * * *", environments: ["PRODUCTION", "STAGING", "PREVIEW"] },
    concurrency: { inline: { total: 1 } },
  });
});

it("the scheduled task maintains the table", async () => {
  const timestamp = new Date("2026-01-02T03:00:00.000Z");
  const scheduled = { type: "DECLARATIVE", scheduleId: "s", timestamp, timezone: "UTC", upcoming: [] };
  const [id] = await insertPosts(1);
  expect(await outputOf(await executeTask(SCHEDULE, scheduled))).toEqual({
    reconciled: { missing: 1, orphaned: 0, stopped: false },
    woken: true,
    indexed: false,
  });
  expect(await pending()).toMatchObject([{ id }]);
});

describe("the drain", () => {
  beforeEach(async () => {
    await isReconciled();
    await change(await insertPosts(1), "batch");
  });

  it("is woken once if rows are due and no run drains", async () => {
    expect(await look()).toEqual({ reconciled: null, woken: true, indexed: false });
    expect(await look()).toMatchObject({ woken: false });
    expect(await queued()).toEqual(["create-embeddings-for-posts"]);
  });

  it("is woken again if the requested run has not started for a minute", async () => {
    await ofSource(sql`woken_at = now() - interval '61 seconds'`);
    expect(await look()).toMatchObject({ woken: true });
  });

  it.each([
    ["is not woken where a run drains", "1 second", false],
    ["is woken where the run that drained is dead", "21 seconds", true],
  ])("%s", async (_, ago, woken) => {
    await database.db.execute(sql`insert into aftercommit.drains (run_id, source, seen_at)
      values ('run_1', 'post', now() - ${ago}::interval)`);
    expect(await look()).toMatchObject({ woken });
  });

  it.each([
    ["is not woken for rows that are tried later", sql`next_attempt = now() + interval '1 hour'`, false],
    ["is woken for rows whose worker died", sql`lease = gen_random_uuid(), next_attempt = now()`, true],
    ["is woken for rows that waited to be certain, and are so now", sql`settle_xid = '3'`, true],
    ["is not woken for rows that are not certain yet", sql`settle_xid = '9000000000'`, false],
  ])("%s", async (_, set, woken) => {
    await database.db.execute(sql`update aftercommit.pending set ${set}`);
    expect(await look()).toMatchObject({ woken });
  });

  it("is woken before a reconciliation, however that ends", async () => {
    await ofSource(sql`reconciled_at = null`);
    await withoutColumn("passage", () => expect(look()).rejects.toThrow());
    expect(await queued()).toEqual(["create-embeddings-for-posts"]);
  });

  it("is woken as soon as an unavailable Trigger.dev answers, and the pass does not fail", async () => {
    const warned = vi.spyOn(console, "warn").mockImplementation(() => {});
    vi.spyOn(console, "info").mockImplementation(() => {});
    vi.stubEnv("TRIGGER_API_URL", "http://127.0.0.1:1");
    expect(await look()).toMatchObject({ woken: false });
    expect(warned.mock.calls.flat().join()).toContain("drain.not_woken");
    vi.stubEnv("TRIGGER_API_URL", trigger.url);
    await expect.poll(queued).toEqual(["create-embeddings-for-posts"]);
  });
});

describe("the table is reconciled", () => {
  it.each([
    ["never before", sql`reconciled_at = null, fully_reconciled_at = null`, "fully"],
    ["a minute ago", sql`reconciled_at = now() - interval '1 minute', fully_reconciled_at = now()`, "not"],
    [
      "11 minutes ago",
      sql`reconciled_at = now() - interval '11 minutes', fully_reconciled_at = now()`,
      "partly",
    ],
    [
      "fully a day ago",
      sql`reconciled_at = now() - interval '11 minutes', fully_reconciled_at = now() - interval '25 hours'`,
      "fully",
    ],
  ])("every ten minutes, and fully once a day: %s", async (_, set, how) => {
    const [stale = ""] = await insertPosts(2);
    await work([stale]);
    await database.updatePost(BigInt(stale), { body: "Changed while nobody looked" });
    await ofSource(set);
    const { reconciled } = await look();
    expect(reconciled?.missing).toBe({ fully: 2, partly: 1, not: undefined }[how]);
  });

  it("partly when the full comparison fails, and the log says so", async () => {
    await insertPosts(1);
    await ofSource(sql`reconciled_at = null, fully_reconciled_at = null`);
    const logged = vi.spyOn(console, "error");
    await withoutColumn("language", async () =>
      expect(await look()).toMatchObject({ reconciled: { missing: 1 }, woken: true }),
    );
    expect(logged.mock.calls.flat().join()).toContain("reconcile.failed");
  });

  it("while the drain works on the rows that are found first", async () => {
    await database.db.execute(sql`
      insert into posts (title, body, author) select 'Post', 'Body ' || n, 'Alice' from generate_series(1, 1500) n`);
    await ofSource(sql`reconciled_at = null, fully_reconciled_at = null`);
    const executed = vi.spyOn(database.db, "execute");
    expect(await look()).toMatchObject({ reconciled: { missing: 1_500 }, woken: true });
    const statements = executed.mock.calls.map(([query]) =>
      typeof query === "string" ? query : dialect.sqlToQuery(query.getSQL()).sql,
    );
    const woken = statements.findIndex((text) => text.includes("set woken_at = clock_timestamp()"));
    expect(woken).toBeGreaterThan(statements.findIndex((text) => text.includes("with compared")));
    expect(woken).toBeLessThan(statements.findLastIndex((text) => text.includes("with compared")));
  });

  it("fully when another table has taken its name, and the log says so", async () => {
    const logged = vi.spyOn(console, "error").mockImplementation(() => {});
    const [id = ""] = await insertPosts(1);
    await work([id]);
    await isReconciled();
    await database.db.execute(
      sql`create table swapped as select id, title, body || '!' as body, author from posts`,
    );
    await database.db.execute(sql`alter table posts rename to posts_before`);
    await database.db.execute(sql`alter table swapped rename to posts`);
    try {
      expect(await look()).toMatchObject({ reconciled: { missing: 1, orphaned: 0 } });
      expect(logged.mock.calls.flat().join()).toContain("source.table_replaced");
      expect(await look()).toMatchObject({ reconciled: null });
    } finally {
      await database.db.execute(sql`drop table posts`);
      await database.db.execute(sql`alter table posts_before rename to posts`);
      await ofSource(sql`table_oid = 'public.posts'::regclass`);
    }
  });
});

describe("the vector index", () => {
  it("is requested once when the active model has 5,000 vectors, and built by a separate task", async () => {
    await isReconciled();
    expect(await look()).toMatchObject({ indexed: false });
    await database.db.execute(sql`
      insert into post_embeddings (post_id, model_id, chunk, chunks, text_hash, start, length, tokens, embedding)
      select n, 1, 0, 1, md5('')::uuid, 0, 1, 1, array[n, 1, 1, 1, 1, 1, 1, 1]::halfvec from generate_series(1, 5000) n`);
    expect(await look()).toMatchObject({ indexed: true });
    await look();
    expect(await queued()).toEqual(["index-post-embeddings"]);
    await outputOf(await executeTask("index-post-embeddings", {}));
    expect(await look()).toMatchObject({ indexed: false });
    const { active } = await readModelsInUse(database.db);
    await withLongConnection(process.env.DATABASE_URL ?? "", (client) =>
      dropVectorIndex(client, posts.embeddings, active),
    );
  });
});

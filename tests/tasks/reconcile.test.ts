import { runs } from "@trigger.dev/sdk";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from "vitest";
import { z } from "zod";
import { embeddingCounts, embeddingFailures } from "../../drizzle/embedding-tables.ts";
import { posts as postsTable } from "../../drizzle/schema.ts";
import { embedMany } from "../../lib/embeddings/embed-many.ts";
import { posts } from "../../lib/embeddings/posts.ts";
import type { EmbedTexts } from "../../lib/embeddings/provider.ts";
import { reconcile } from "../../lib/embeddings/reconcile.ts";
import { FIRST_MODEL } from "../postgres-template.ts";
import { startTriggerServer } from "../trigger-server.ts";
import { databaseForTests } from "./database.ts";
import { executeTask, loadTasks, taskOf } from "./execute-task.ts";

const KEY = "tr_dev_reconcile";
const BULK = "create-embeddings-for-posts";
const payloadSchema = z.object({ postIds: z.array(z.string()) });
const database = databaseForTests({ ...FIRST_MODEL, dimensions: 4 });
const { insertPost, updatePost } = database;

let server: Awaited<ReturnType<typeof startTriggerServer>>;

beforeAll(async () => {
  server = await startTriggerServer(KEY);
  await loadTasks(() => import("../../trigger/reconcile-post-embeddings.ts"));
});
beforeEach(async () => {
  vi.stubEnv("TRIGGER_API_URL", server.url);
  vi.stubEnv("TRIGGER_SECRET_KEY", KEY);
  await database.db.delete(postsTable);
  await database.db.delete(embeddingFailures);
  await database.db.delete(embeddingCounts);
});
afterEach(async () => {
  for await (const { id } of runs.list({ status: ["QUEUED", "DELAYED"] })) await runs.cancel(id);
  vi.unstubAllEnvs();
});
afterAll(() => server.close());

const embed: EmbedTexts = async (model, texts) => ({
  vectors: texts.map(() => new Float32Array(model.dimensions).fill(0.1)),
  tokens: texts.length,
  left: {},
});

/** The rows of the runs that wait, a list a run. */
async function triggered(): Promise<string[][]> {
  const lists: string[][] = [];
  for await (const { id } of runs.list({ taskIdentifier: BULK, status: ["QUEUED"] }))
    lists.push(payloadSchema.parse((await runs.retrieve(id)).payload).postIds);
  return lists.toSorted((a, b) => Number(a[0]) - Number(b[0]));
}

async function insertPosts(count: number): Promise<string[]> {
  const values = Array.from({ length: count }, (_, n) => ({ title: "Post", body: `Body ${n}`, author: "A" }));
  const rows = await database.db.insert(postsTable).values(values).returning({ id: postsTable.id });
  return rows.map(({ id }) => String(id));
}

const timestamp = new Date("2026-01-02T03:00:00.000Z");
const scheduled = { type: "DECLARATIVE", scheduleId: "s", timestamp, timezone: "UTC", upcoming: [] };

it("is scheduled every ten minutes, where it is deployed only", () => {
  expect(taskOf("reconcile-post-embeddings")).toMatchObject({
    schedule: { cron: "*/10 * * * *", environments: ["PRODUCTION", "STAGING", "PREVIEW"] },
  });
});

it("triggers one bulk run for all posts that are behind, and for no other", async () => {
  const missing = await insertPost({ id: 9_007_199_254_740_993n });
  const [stale = 0n, current = 0n] = [await insertPost(), await insertPost()];
  await embedMany(posts.of, [stale, current].map(String), { embed });
  await updatePost(stale, { body: "Changed while nobody looked" });
  expect(await executeTask("reconcile-post-embeddings", scheduled)).toMatchObject({ ok: true });
  expect(await triggered()).toEqual([[stale, missing].map(String)]);
});

it("triggers a run for each 1,000 rows, all by one request", async () => {
  const ids = await insertPosts(2_001);
  expect(await reconcile(posts, "many")).toEqual({ rows: 2_001, runs: 3, busy: false });
  expect(await triggered()).toEqual([ids.slice(0, 1_000), ids.slice(1_000, 2_000), ids.slice(2_000)]);
});

it("triggers nothing while bulk runs are under way, which may be about the same rows", async () => {
  await insertPosts(3);
  expect(await reconcile(posts, "first")).toEqual({ rows: 3, runs: 1, busy: false });
  expect(await reconcile(posts, "second")).toEqual({ rows: 0, runs: 0, busy: true });
  expect(await triggered()).toHaveLength(1);
});

it("triggers nothing where nothing is behind, and keeps a count", async () => {
  const ids = await insertPosts(3);
  await embedMany(posts.of, ids, { embed });
  expect(await reconcile(posts, "nothing")).toEqual({ rows: 0, runs: 0, busy: false });
  expect(await triggered()).toEqual([]);
  expect(await database.db.select().from(embeddingCounts)).toMatchObject([{ source: "posts", embedded: 3 }]);
});

it("forgets what was refused about rows that are gone", async () => {
  const id = await insertPost();
  const failure = { source: "posts", modelId: 1, textHash: crypto.randomUUID(), error: "no", tries: 1 };
  const nextTry = new Date();
  await database.db.insert(embeddingFailures).values([
    { ...failure, rowId: String(id), nextTry },
    { ...failure, rowId: "123456789", nextTry },
  ]);
  await reconcile(posts, "forget");
  expect(await database.db.select().from(embeddingFailures)).toMatchObject([{ rowId: String(id) }]);
});

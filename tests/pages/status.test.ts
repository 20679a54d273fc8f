import { runs, tasks } from "@trigger.dev/sdk";
import { sql } from "drizzle-orm";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { addUsage } from "../../drizzle/queries/embedding-usage.ts";
import { countPostStates, readLag } from "../../drizzle/queries/post-states.ts";
import { embeddingUsage, postEmbeddings, posts, userDeletions } from "../../drizzle/schema.ts";
import { embedPost } from "../../lib/embeddings/embed-post.ts";
import type { EmbedChunks } from "../../lib/embeddings/provider.ts";
import { deletionsOnPage } from "../../lib/status/deletions.ts";
import { readStatus } from "../../lib/status/read-status.ts";
import { runUrl } from "../../lib/status/run-url.ts";
import { hang, startFaultyServer } from "../faulty-server.ts";
import { databaseForTests } from "../tasks/database.ts";
import { startTriggerServer } from "../trigger-server.ts";

const database = databaseForTests();
const { insertPost, updatePost, deletePost } = database;
const KEY = "tr_dev_status";
let trigger: Awaited<ReturnType<typeof startTriggerServer>>;

const embed = async (chunks: readonly unknown[]) => ({
  vectors: chunks.map(() => new Array(1_536).fill(0.1)),
  tokens: chunks.length,
});

const RECIPE = "text-embedding-3-small\n1536\ntitle-body-v1\n";

async function status() {
  const readTotals = async () => ({
    counts: await countPostStates(database.db, RECIPE),
    lag: await readLag(database.db),
  });
  return readStatus({ db: database.db, readTotals });
}

async function triggerRun(tag: string, options: { ttl?: string } = {}): Promise<string> {
  const { id } = await tasks.trigger("create-embedding-for-post", {}, { tags: [tag], ...options });
  return id;
}

async function failedRun(tag: string): Promise<string> {
  const id = await triggerRun(tag);
  await runs.cancel(id);
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
  await database.db.delete(posts);
  await database.db.delete(embeddingUsage);
  await database.db.delete(userDeletions);
});
afterEach(() => vi.unstubAllEnvs());

describe("the counts", () => {
  it("say how the vectors of each post stand to its text", async () => {
    const [changed, rewritten, emptied] = [await insertPost(), await insertPost(), await insertPost()];
    const many = await insertPost({ body: "lorem ipsum dolor ".repeat(2_000) });
    for (const id of [changed, rewritten, emptied, many]) await embedPost(id, { embed });
    await updatePost(changed, { author: "Bob" });
    await updatePost(rewritten, { body: "Another" });
    await updatePost(emptied, { title: "", body: "" });
    await insertPost();
    await insertPost({ title: " ", body: "\n" });
    expect((await status()).counts).toEqual({ embedded: 2, pending: 1, stale: 2, empty: 1, failed: 0 });
    await database.db.update(postEmbeddings).set({ contentHash: "other" }).where(sql`chunk = 1`);
    expect((await status()).counts).toMatchObject({ embedded: 1, stale: 3 });
  });

  it("take a pending or stale post for failed while its newest run is one that failed", async () => {
    const [pending, stale, retried, fine] = [
      await insertPost(),
      await insertPost(),
      await insertPost(),
      await insertPost(),
    ];
    for (const id of [stale, fine]) await embedPost(id, { embed });
    await updatePost(stale, { body: "Another" });
    for (const id of [pending, stale, retried, fine]) await failedRun(`post:${id}`);
    await triggerRun(`post:${retried}`);
    const { counts, posts: shown } = await status();
    expect(counts).toEqual({ embedded: 1, pending: 1, stale: 0, empty: 0, failed: 2 });
    expect(shown.map(({ id, state }) => [id, state])).toEqual([
      [String(stale), "failed"],
      [String(pending), "failed"],
      [String(fine), "embedded"],
      [String(retried), "pending"],
    ]);
  });

  it("find a failed post among many that changed after it", async () => {
    const failed = await insertPost({ title: "Failed" });
    const run = await failedRun(`post:${failed}`);
    for (let n = 0; n < 20; n += 1) await insertPost();
    const { counts, posts: shown } = await status();
    expect(counts).toMatchObject({ failed: 1, pending: 20 });
    expect(shown[0]).toMatchObject({
      title: "Failed",
      state: "failed",
      run: { id: run, status: "CANCELED" },
    });
    expect(shown).toHaveLength(12);
  });
});

describe("a run", () => {
  it("is the newest of its post, with its address in Trigger.dev", async () => {
    const id = await insertPost();
    await triggerRun(`post:${id}`);
    const newest = await triggerRun(`post:${id}`);
    const { posts: shown, runsAreKnown } = await status();
    expect(runsAreKnown).toBe(true);
    expect(shown[0]?.run).toMatchObject({
      id: newest,
      url: `${trigger.url}/projects/v3/proj_tests/runs/${newest}`,
    });
  });

  it.each([
    [undefined, "https://cloud.trigger.dev"],
    ["https://api.trigger.dev", "https://cloud.trigger.dev"],
    ["https://api.preview.trigger.dev", "https://preview.trigger.dev"],
    ["https://trigger.example.com/", "https://trigger.example.com"],
  ])("of a server at %s has its page at %s", (api, expected) => {
    vi.stubEnv("TRIGGER_API_URL", api);
    expect(runUrl("run_1")).toBe(`${expected}/projects/v3/proj_tests/runs/run_1`);
    vi.stubEnv("TRIGGER_PROJECT_REF", "");
    expect(runUrl("run_1")).toBeUndefined();
  });

  it("is not known while Trigger.dev does not answer, and all else is", async () => {
    await insertPost();
    const server = await startFaultyServer(hang);
    vi.stubEnv("TRIGGER_API_URL", server.url);
    const { runsAreKnown, counts, posts: shown } = await status();
    expect(runsAreKnown).toBe(false);
    expect(counts).toMatchObject({ pending: 1, failed: 0 });
    expect(shown[0]).toMatchObject({ state: "pending", run: undefined });
    await server.close();
  });
});

describe("the lag", () => {
  it("is that of the last day's changes that were embedded since", async () => {
    expect((await status()).lag).toBeUndefined();
    for (const seconds of [1, 2, 3]) {
      const id = await insertPost();
      await embedPost(id, { embed });
      await database.db.execute(
        sql`update post_embeddings set updated_at = (select updated_at from posts where id = ${id}) + ${`${seconds} s`}::interval where post_id = ${id}`,
      );
    }
    const untouched = await insertPost();
    await embedPost(untouched, { embed });
    await updatePost(untouched, { author: "Bob" });
    expect((await status()).lag).toEqual({ p50: 2, p95: expect.closeTo(2.9), changes: 3 });
  });
});

describe("the usage", () => {
  const charging: EmbedChunks = async (chunks, options) => {
    await options?.used?.({ model: "m", tokens: 7 });
    return embed(chunks);
  };

  it("counts what was charged for a result that was not written, too", async () => {
    const id = await insertPost();
    await embedPost(id, { embed: charging });
    const changing: EmbedChunks = async (...asked) => {
      await updatePost(id, { body: "changed meanwhile" });
      return charging(...asked);
    };
    await updatePost(id, { body: "first" });
    expect((await embedPost(id, { embed: changing })).status).toBe("superseded");
    const failing: EmbedChunks = async (...asked) => {
      await charging(...asked);
      throw new Error("second request failed");
    };
    await expect(embedPost(id, { embed: failing })).rejects.toThrow("second request failed");
    expect(await embedPost(id, { embed: charging })).toMatchObject({ status: "embedded" });
    expect(await embedPost(id, { embed: charging })).toMatchObject({ status: "unchanged" });
    expect((await status()).usage.at(-1)).toMatchObject({ calls: 4, tokens: 28 });
  });

  it("is that of 14 days, the last one today in UTC, all models together", async () => {
    await database.db.insert(embeddingUsage).values({ day: "2020-01-01", model: "m", calls: 9, tokens: 9 });
    await addUsage(database.db, { model: "a", tokens: 3 });
    await Promise.all(
      Array.from({ length: 20 }, () => addUsage(database.db, { model: "b", tokens: 1_000_000_000 })),
    );
    const { usage } = await status();
    expect(usage).toHaveLength(14);
    expect(usage.at(-1)).toEqual({
      day: new Date().toISOString().slice(0, 10),
      calls: 21,
      tokens: 20_000_000_003,
    });
    expect(usage.slice(0, -1).every(({ calls, tokens }) => calls === 0 && tokens === 0)).toBe(true);
  });
});

describe("a deletion", () => {
  const userId = "0b9a5a0e-0000-4000-8000-000000000001";

  it("shows the steps that the ledger requires, whatever is configured here, and no address", async () => {
    vi.stubEnv("USER_DELETION_WEBHOOK_URLS", "malformed");
    await database.db.insert(userDeletions).values({
      userId,
      email: "john.doe@example.com",
      requiredSystems: ["billing", "crm"],
      runId: "run_1",
      lastError: "Not clean: billing (answered 500)",
      systems: { billing: { failed_at: "2026-01-02T03:04:05Z", error: "answered 500" } },
    });
    const [deletion] = await deletionsOnPage(database.db);
    expect(JSON.stringify(deletion)).not.toMatch(/example\.com/);
    expect(deletion).toMatchObject({
      userId,
      run: { id: "run_1", url: expect.stringContaining("/runs/run_1") },
    });
    expect(deletion?.steps).toEqual([
      { name: "billing", state: "failed", at: new Date("2026-01-02T03:04:05Z"), error: "answered 500" },
      { name: "crm", state: "waiting", at: undefined, error: undefined },
      { name: "e-mail", state: "waiting", at: undefined, error: undefined },
    ]);
  });

  it("says that the mail server refuses the address", async () => {
    const confirmationRefusedAt = new Date("2026-01-02T03:04:05Z");
    await database.db.insert(userDeletions).values({ userId, requiredSystems: [], confirmationRefusedAt });
    const [deletion] = await deletionsOnPage(database.db);
    const error = "the mail server refuses the address";
    expect(deletion?.steps).toEqual([{ name: "e-mail", state: "failed", at: confirmationRefusedAt, error }]);
  });

  it("that was completed without an address says that nobody was told", async () => {
    const systemsDone = { crm: { done_at: "2026-01-02T03:04:05Z" } };
    await database.db
      .insert(userDeletions)
      .values({ userId, systems: systemsDone, completedAt: new Date("2026-01-02T03:04:06Z") });
    const [deletion] = await deletionsOnPage(database.db);
    expect(deletion?.steps.map(({ name, state }) => [name, state])).toEqual([
      ["crm", "done"],
      ["e-mail", "skipped"],
    ]);
  });
});

it("is empty, and no error, when there is nothing", async () => {
  const id = await insertPost();
  await deletePost(id);
  const { counts, posts: shown, deletions } = await status();
  expect(counts).toEqual({ embedded: 0, pending: 0, stale: 0, empty: 0, failed: 0 });
  expect([shown, deletions]).toEqual([[], []]);
});

import { sql } from "drizzle-orm";
import { describe, expect, it, vi } from "vitest";
import { addUsage } from "../../drizzle/queries/embedding-usage.ts";
import { embeddingUsage, userDeletions } from "../../drizzle/schema.ts";
import type { EmbedTexts } from "../../lib/embeddings/provider.ts";
import { runUrl } from "../../lib/runs/run-url.ts";
import { deletionsOnPage } from "../../lib/status/deletions.ts";
import { answerWith, type Fault, hang, startFaultyServer } from "../faulty-server.ts";
import { embed, statusForTests } from "./status-for-tests.ts";

const { database, embedPost, status, triggerRun, triggerUrl } = statusForTests();
const { insertPost, updatePost, deletePost } = database;

describe("a run", () => {
  it("is the newest of its post, with its address in Trigger.dev", async () => {
    const id = await insertPost();
    await triggerRun(`post:${id}`);
    const newest = await triggerRun(`post:${id}`);
    const { posts: shown, runsProblem } = await status();
    expect(runsProblem).toBeUndefined();
    expect(shown[0]?.run).toMatchObject({
      id: newest,
      url: `${triggerUrl()}/projects/v3/proj_tests/runs/${newest}`,
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

  it.each<[string, Fault | "refused"]>([
    ["Trigger.dev does not answer", hang],
    ["Trigger.dev does not answer", "refused"],
    ["Trigger.dev answers 500", answerWith(500, '{"error":"no"}')],
    ["Trigger.dev answers 401", answerWith(401, '{"error":"Invalid API key"}')],
    ["Trigger.dev's answer is none of its API", answerWith(200, "<html>")],
  ])("is not known when %s, and all else is", async (problem, fault) => {
    await insertPost();
    const server = await startFaultyServer(fault === "refused" ? hang : fault);
    vi.stubEnv("TRIGGER_API_URL", server.url);
    if (fault === "refused") await server.close();
    const { runsProblem, counts, posts: shown } = await status();
    expect(runsProblem).toBe(problem);
    expect(counts).toMatchObject({ pending: 1, failed: 0 });
    expect(shown[0]).toMatchObject({ state: "pending", run: undefined });
    if (fault !== "refused") await server.close();
  });
});

describe("the lag", () => {
  it("is that of the last day's changes that were embedded as they came", async () => {
    expect((await status()).lag).toBeUndefined();
    for (const seconds of [1, 2, 3]) {
      const id = await insertPost();
      await embedPost(id, { embed }, new Date().toISOString());
      await database.db.execute(
        sql`update post_embeddings set updated_at = changed_at + ${`${seconds} s`}::interval where post_id = ${id}`,
      );
    }
    // Of a backfill: nobody waited for it.
    await embedPost(await insertPost(), { embed });
    expect((await status()).lag).toEqual({ p50: 2, p95: expect.closeTo(2.9), changes: 3 });
  });
});

describe("the usage", () => {
  it("counts what was charged for a result that was not written, too", async () => {
    const id = await insertPost();
    await embedPost(id, { embed });
    const changing: EmbedTexts = async (...asked) => {
      await updatePost(id, { body: "changed meanwhile" });
      return embed(...asked);
    };
    await updatePost(id, { body: "first" });
    expect((await embedPost(id, { embed: changing })).status).toBe("superseded");
    expect(await embedPost(id, { embed })).toMatchObject({ status: "embedded" });
    expect(await embedPost(id, { embed })).toMatchObject({ status: "unchanged" });
    expect((await status()).usage.at(-1)).toMatchObject({ calls: 3, tokens: 21 });
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
  expect(counts).toMatchObject({ embedded: 0, pending: 0, stale: 0, empty: 0, failed: 0 });
  expect([shown, deletions]).toEqual([[], []]);
});

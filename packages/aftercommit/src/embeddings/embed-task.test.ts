import { sql } from "drizzle-orm";
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { embeddingForTests } from "@/tests/helpers/embedding.ts";
import { executeTask, loadTasks, outputOf, taskOf } from "@/tests/helpers/execute-task.ts";
import { answerWith } from "@/tests/helpers/faulty-server.ts";
import { limitRate, poisoned } from "@/tests/helpers/providers/strict-provider.ts";

const ID = "create-embedding-for-post";
const { database, provider, change } = embeddingForTests();

beforeAll(() => loadTasks(() => import("@/trigger/create-embedding-for-post.ts")));
afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

const run = (payload: unknown, attempt?: number) => executeTask(ID, payload, attempt);

/** A post that has changed. */
async function changed(body = "It is bright."): Promise<bigint> {
  const id = await database.insertPost({ body });
  await change([id]);
  return id;
}
const about = async (body?: string) => ({ postId: String(await changed(body)) });

it("shares the provider's limit with the drain, and tries ten times with growing pauses", () => {
  const { concurrency, retry } = taskOf(ID);
  expect(concurrency).toMatchObject({ limits: ["embedding-provider"] });
  expect(retry).toMatchObject({
    maxAttempts: 10,
    factor: 2,
    minTimeoutInMs: 1_000,
    maxTimeoutInMs: 60_000,
    randomize: true,
  });
});

it.each([
  ["a text, as our own runs have it", (id: bigint) => String(id)],
  ["a number, as a person may write it", Number],
])("embeds the post whose id is %s", async (_, write) => {
  const id = await changed();
  const changedAt = "2026-11-21T21:12:08.735335Z";
  expect(await outputOf(await run({ postId: write(id), changedAt }))).toEqual({
    postId: String(id),
    status: "embedded",
    chunks: 1,
    tokens: 1,
  });
});

it("needs no variable of the deletions, valid or not", async () => {
  vi.stubEnv("MAIL_FROM", "nobody");
  vi.stubEnv("USER_DELETION_WEBHOOK_SECRET", "no secret");
  expect(await outputOf(await run(await about()))).toMatchObject({ status: "embedded" });
});

describe("after an error", () => {
  beforeEach(() => void vi.spyOn(console, "warn").mockImplementation(() => {}));
  const retried = (result: Awaited<ReturnType<typeof run>>) => (result.ok ? undefined : result.retry);

  it("continues when the provider's limits allow it again", async () => {
    provider.rule = () => limitRate({ "retry-after": "120" });
    const before = Date.now();
    const retry = retried(await run(await about()));
    expect(retry?.timestamp).toBeGreaterThanOrEqual(before + 119_000);
    expect(retry?.timestamp).toBeLessThanOrEqual(Date.now() + 120_000);
  });

  it("continues when the pause of the model is over", async () => {
    await database.db.execute(
      sql`update aftercommit.models set paused_until = now() + interval '2 minutes', pause_reason = '500'`,
    );
    const before = Date.now();
    const retry = retried(await run(await about()));
    expect(retry?.timestamp).toBeGreaterThan(before + 60_000);
    expect(provider.requests).toEqual([]);
  });

  it("waits longer after each failure, at most a minute, up to the tenth attempt", async () => {
    provider.rule = () => answerWith(500, "{}");
    for (const [number, least, most] of [
      [1, 1_000, 2_000],
      [4, 8_000, 16_000],
      [9, 60_000, 60_000],
    ] as const) {
      await database.db.execute(sql`update aftercommit.models set paused_until = null`);
      const retry = retried(await run(await about(), number));
      expect(retry?.delay).toBeGreaterThanOrEqual(least);
      expect(retry?.delay).toBeLessThanOrEqual(most);
    }
    await database.db.execute(sql`update aftercommit.models set paused_until = null`);
    expect(retried(await run(await about(), 10))).toBeUndefined();
  });

  it.each([
    ["a wrong key", answerWith(401, '{"error":{"message":"Incorrect API key"}}'), "Incorrect API key"],
    ["a refused text", undefined, "'$.input' is invalid."],
  ])("does not try again, and fails with the provider's message: %s", async (_, fault, message) => {
    provider.rule = fault ? () => fault : poisoned({ named: false });
    expect(await run(await about("poison"))).toMatchObject({
      ok: false,
      skippedRetrying: true,
      error: { message: expect.stringContaining(message) },
    });
  });

  it.each([
    ["is none", { record: "none" }],
    ["names no post", { changedAt: null }],
    ["names a post by nothing", { postId: "" }],
    ["names a post by no number", { postId: "x" }],
    ["names a post by a number beyond a bigint", { postId: "9223372036854775808" }],
  ])("does not try again: a payload that %s", async (_, payload) => {
    expect(await run(payload)).toMatchObject({ ok: false, skippedRetrying: true });
  });
});

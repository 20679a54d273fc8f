import { parsePacket } from "@trigger.dev/core/v3/utils/ioSerialization";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { databaseForTests } from "./database.ts";
import { executeTask, loadTasks, taskOf } from "./execute-task.ts";
import { providerForTests } from "./provider.ts";

const ID = "create-embedding-for-post";
const database = databaseForTests();
const provider = providerForTests();

beforeAll(() => loadTasks(() => import("../../trigger/create-embedding-for-post.ts")));

const about = (id: bigint) => ({ postId: String(id), changedAt: "2026-11-21T21:12:08.735335Z" });

async function outputOf(payload: unknown): Promise<unknown> {
  const result = await run(payload);
  if (!result.ok) throw new Error(JSON.stringify(result.error));
  return parsePacket({ data: result.output, dataType: result.outputType });
}

const run = (payload: unknown, attempt?: number) => executeTask(ID, payload, attempt);

it("shares the provider's limit with the bulk lane, and tries ten times with growing pauses", () => {
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
  ["a change", "2026-11-21T21:12:08.735335Z"],
  ["a row of which nobody knows when it changed", null],
])("embeds the row that %s is about", async (_, changedAt) => {
  const id = await database.insertPost();
  expect(await outputOf({ postId: String(id), changedAt })).toEqual({
    postId: String(id),
    status: "embedded",
    chunks: 1,
    tokens: expect.any(Number),
    model: "text-embedding-3-small",
  });
});

it("needs no variable of the deletions, nor a good one", async () => {
  vi.stubEnv("MAIL_FROM", "nobody");
  vi.stubEnv("USER_DELETION_WEBHOOK_SECRET", "no secret");
  expect(await outputOf(about(await database.insertPost()))).toMatchObject({ status: "embedded" });
  vi.unstubAllEnvs();
});

describe("after an error", () => {
  const retried = (result: Awaited<ReturnType<typeof run>>) => (result.ok ? undefined : result.retry);

  async function attempt(number = 1) {
    const id = await database.insertPost();
    return run(about(id), number);
  }

  it("waits as long as the provider says, where that is longer than a run may", async () => {
    await provider.fail({ status: 429, retryAfterMs: 600_000 });
    const before = Date.now();
    const retry = retried(await attempt());
    expect(retry?.timestamp).toBeGreaterThanOrEqual(before + 600_000);
    expect(retry?.timestamp).toBeLessThanOrEqual(Date.now() + 600_000);
  });

  it("waits longer after each failure, a minute at most, up to the tenth attempt", async () => {
    await provider.fail({ status: 500 });
    for (const [number, least, most] of [
      [1, 1_000, 2_000],
      [4, 8_000, 16_000],
      [9, 60_000, 60_000],
    ] as const) {
      const retry = retried(await attempt(number));
      expect(retry?.delay).toBeGreaterThanOrEqual(least);
      expect(retry?.delay).toBeLessThanOrEqual(most);
    }
    expect(retried(await attempt(10))).toBeUndefined();
  });

  it.each([
    ["a wrong key", { status: 401 }, "Incorrect API key provided."],
    [
      "an exhausted quota",
      { status: 429, code: "insufficient_quota", retryAfterMs: 1_000 },
      "You exceeded your current quota",
    ],
    ["a refused request", { status: 400 }, "The request was refused."],
  ])("like %s does not try again, and fails with the provider's words", async (_, fault, words) => {
    await provider.fail(fault);
    const result = await attempt();
    expect(result).toMatchObject({
      ok: false,
      skippedRetrying: true,
      error: { message: expect.stringContaining(words) },
    });
    expect(retried(result)).toBeUndefined();
  });

  it.each([
    ["is none", { record: "none" }],
    ["names no post", { changedAt: null }],
    ["names a post by nothing", { postId: "", changedAt: null }],
    ["names a post by no number", { postId: "x", changedAt: null }],
    ["names a post by a number beyond a bigint", { postId: "9223372036854775808", changedAt: null }],
    ["has no time that is one", { postId: "1", changedAt: "yesterday" }],
  ])("like a payload that %s does not try again", async (_, payload) => {
    expect(await run(payload)).toMatchObject({ ok: false, skippedRetrying: true });
  });
});

import { parsePacket } from "@trigger.dev/core/v3/utils/ioSerialization";
import { beforeAll, describe, expect, it } from "vitest";
import { textOf } from "../../lib/embeddings/fingerprint.ts";
import { embedChunks } from "../../lib/embeddings/provider.ts";
import { split } from "../../lib/embeddings/split.ts";
import { type Recorded, recorded, withMetadata } from "../fixtures/recorded.ts";
import { databaseForTests } from "./database.ts";
import { executeTask, loadTasks, taskOf } from "./execute-task.ts";
import { providerForTests } from "./provider.ts";

const ID = "create-embedding-for-post";
const database = databaseForTests();
const provider = providerForTests();

beforeAll(() => loadTasks(() => import("../../trigger/create-embedding-for-post.ts")));

const about = (id: bigint, message: Recorded): Recorded =>
  withMetadata(message, { table_name: "posts", record_pks: [String(id)] });

async function outputOf(message: unknown): Promise<unknown> {
  const result = await run(message);
  if (!result.ok) throw new Error(JSON.stringify(result.error));
  return parsePacket({ data: result.output, dataType: result.outputType });
}

const run = (message: unknown, attempt?: number) => executeTask(ID, message, attempt);

it("runs ten at a time, and tries ten times with growing pauses", () => {
  const { queue, retry } = taskOf(ID);
  expect(queue).toMatchObject({ concurrencyLimit: 10 });
  expect(retry).toMatchObject({
    maxAttempts: 10,
    factor: 2,
    minTimeoutInMs: 1_000,
    maxTimeoutInMs: 60_000,
    randomize: true,
  });
});

it.each(["01_posts_insert", "02_posts_update", "08_posts_full_update"])(
  "embeds the row that %s names",
  async (name) => {
    const id = await database.insertPost();
    expect(await outputOf(about(id, recorded(name)))).toEqual({
      postId: String(id),
      status: "embedded",
      chunks: 1,
      tokens: expect.any(Number),
      model: "text-embedding-3-small",
    });
  },
);

describe("never embeds what a message carries", () => {
  const insert = recorded("01_posts_insert");

  it.each([
    ["unchanged_toast", { title: "New", body: "unchanged_toast" }],
    ["null, as under replica identity default", { title: null, body: null }],
    ["nothing", {}],
    ["the text of an older change", { title: "Old", body: "Old" }],
  ])("be it %s", async (_, record) => {
    const post = { title: "Title", body: "The body of the row" };
    const id = await database.insertPost(post);
    const message = about(id, { ...insert, action: "update", record: { id: Number(id), ...record } });
    expect(await outputOf(message)).toMatchObject({ status: "embedded" });
    const [row] = await database.embeddingsOf(id);
    const { vectors } = await embedChunks(split(textOf(post)));
    const cosine = row?.embedding.reduce(
      (sum, number, place) => sum + number * (vectors[0]?.[place] ?? 0),
      0,
    );
    expect(cosine).toBeCloseTo(1, 4);
  });
});

describe("after an error", () => {
  const retried = (result: Awaited<ReturnType<typeof run>>) => (result.ok ? undefined : result.retry);

  async function attempt(number = 1) {
    const id = await database.insertPost();
    return run(about(id, recorded("01_posts_insert")), number);
  }

  it("waits as long as the provider says", async () => {
    await provider.fail({ status: 429, retryAfterMs: 90_000 });
    const before = Date.now();
    const retry = retried(await attempt());
    expect(retry?.timestamp).toBeGreaterThanOrEqual(before + 90_000);
    expect(retry?.timestamp).toBeLessThanOrEqual(Date.now() + 90_000);
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

  it("like a payload that is no message does not try again", async () => {
    const result = await run({ record: "none" });
    expect(result).toMatchObject({ ok: false, skippedRetrying: true });
  });

  it("like a message that names no post does not try again", async () => {
    const result = await run({ action: "insert", record: {}, metadata: {} });
    expect(result).toMatchObject({
      ok: false,
      skippedRetrying: true,
      error: { message: "record.id: must be the row's primary key" },
    });
  });
});

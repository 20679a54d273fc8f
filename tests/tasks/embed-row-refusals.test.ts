import { sql } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import { classifyError } from "../../lib/embeddings/classify-error.ts";
import { embeddingForTests } from "./embedding-posts.ts";

const { database, provider, embedPost } = embeddingForTests();
const { insertPost, embeddingsOf } = database;

const now = new Date("2026-01-02T03:04:05.000Z");

describe("a run whose provider", () => {
  it.each([
    [
      "limits the rate",
      { status: 429, retryAfterMs: 1_500 },
      { kind: "retryAt", at: new Date(now.getTime() + 1_500) },
    ],
    ["limits the rate without a time", { status: 429 }, { kind: "retry" }],
    [
      "has no quota left",
      { status: 429, code: "insufficient_quota", retryAfterMs: 1_500 },
      { kind: "abort" },
    ],
    ["does not know the key", { status: 401 }, { kind: "abort" }],
    ["fails", { status: 500 }, { kind: "retry" }],
    ["is overloaded", { status: 503 }, { kind: "retry" }],
  ])("%s writes nothing, asks once where it may not wait, and says what to do", async (_, fault, verdict) => {
    const id = await insertPost();
    await provider.fail(fault);
    const { calls } = await provider.stats();
    const error = await embedPost(id, { waitMs: 0 }).catch((error: unknown) => error);
    expect(classifyError(error, now)).toEqual(verdict);
    expect((await provider.stats()).calls).toBe(calls + 1);
    expect(await embeddingsOf(id)).toEqual([]);
  });
});

it("a request that is refused whatever it holds aborts the run, and no text is recorded as refused", async () => {
  const id = await insertPost();
  await provider.fail({ status: 400 });
  const error = await embedPost(id).catch((error: unknown) => error);
  expect(classifyError(error, now)).toEqual({ kind: "abort" });
  expect(error).toMatchObject({ status: 400 });
  expect((await database.db.execute(sql`select from embedding_failures`)).rows).toEqual([]);
});

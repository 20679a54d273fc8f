import { beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { embeddingForTests } from "@/tests/helpers/embedding.ts";
import { executeTask, loadTasks, outputOf, taskOf } from "@/tests/helpers/execute-task.ts";
import { answerWith } from "@/tests/helpers/faulty-server.ts";

const ID = "create-embeddings-for-posts";
const { provider, change, insertPosts } = embeddingForTests();

beforeAll(() => loadTasks(() => import("@/trigger/create-embeddings-for-posts.ts")));
beforeEach(() => void vi.spyOn(console, "warn").mockImplementation(() => {}));

it("runs at most twice at the same time, apart from edits, and may take as long as a run of 15 minutes", () => {
  expect(taskOf(ID)).toMatchObject({
    concurrency: { inline: { total: 2 }, limits: ["embedding-provider"] },
    retry: { maxAttempts: 10 },
    maxDuration: 1_800,
  });
});

it("embeds what is in the inbox, whatever its payload, and returns how many rows ended in each status", async () => {
  await change(await insertPosts(20), "batch");
  expect(await outputOf(await executeTask(ID, {}))).toMatchObject({ embedded: 20, chunks: 20, left: false });
  expect(provider.requests).toHaveLength(1);
});

describe("a run", () => {
  it("whose provider does not know the key is not tried again: the schedule wakes the drain", async () => {
    await change(await insertPosts(1), "batch");
    provider.rule = () => answerWith(401, "{}");
    expect(await executeTask(ID, {})).toMatchObject({ ok: false, skippedRetrying: true });
  });

  it("whose provider fails is tried again", async () => {
    await change(await insertPosts(1), "batch");
    provider.rule = () => answerWith(500, "{}");
    expect(await executeTask(ID, {})).toMatchObject({ ok: false, retry: { delay: expect.any(Number) } });
  });
});

import { parsePacket } from "@trigger.dev/core/v3/utils/ioSerialization";
import { beforeAll, describe, expect, it } from "vitest";
import { databaseForTests } from "./database.ts";
import { executeTask, loadTasks, taskOf } from "./execute-task.ts";
import { providerForTests } from "./provider.ts";

const ID = "create-embeddings-for-posts";
const database = databaseForTests();
const provider = providerForTests();

beforeAll(() => loadTasks(() => import("../../trigger/create-embeddings-for-posts.ts")));

const run = (payload: unknown) => executeTask(ID, payload);

it("runs three at a time beside the live lane, and for as long as a wait for the limits may take", () => {
  expect(taskOf(ID)).toMatchObject({
    concurrency: { inline: { total: 3 }, limits: ["embedding-provider"] },
    retry: { maxAttempts: 10 },
    maxDuration: 1_800,
  });
});

it("embeds all posts that it is told of by one call, and says how many came to what", async () => {
  const ids = [];
  for (let n = 0; n < 20; n += 1) ids.push(String(await database.insertPost({ body: `Body ${n}` })));
  const { calls } = await provider.stats();
  const result = await run({ postIds: [...ids, "987654321"] });
  if (!result.ok) throw new Error(JSON.stringify(result.error));
  expect(await parsePacket({ data: result.output, dataType: result.outputType })).toEqual({
    embedded: 20,
    unchanged: 0,
    superseded: 0,
    gone: 1,
    refused: 0,
    chunks: 20,
    tokens: expect.any(Number),
    model: "text-embedding-3-small",
  });
  expect((await provider.stats()).calls).toBe(calls + 1);
});

describe("a run", () => {
  it("whose provider does not know the key is not tried again", async () => {
    await provider.fail({ status: 401 });
    const id = await database.insertPost({ body: "refused" });
    expect(await run({ postIds: [String(id)] })).toMatchObject({ ok: false, skippedRetrying: true });
  });

  it("whose provider fails is tried again", async () => {
    await provider.fail({ status: 500 });
    const id = await database.insertPost({ body: "failed" });
    const result = await run({ postIds: [String(id)] });
    expect(result).toMatchObject({ ok: false, retry: { delay: expect.any(Number) } });
  });

  it.each([
    ["names no posts", { postIds: [] }],
    ["names more than a run takes", { postIds: Array.from({ length: 1_001 }, (_, n) => String(n)) }],
    ["has a key that is none", { postIds: ["1", "x"] }],
    ["is of another task", { postId: "1", changedAt: null }],
  ])("whose payload %s is not tried again", async (_, payload) => {
    expect(await run(payload)).toMatchObject({ ok: false, skippedRetrying: true });
  });
});

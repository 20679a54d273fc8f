import { runs } from "@trigger.dev/sdk";
import { sql } from "drizzle-orm";
import { beforeEach, describe, expect, it } from "vitest";
import { deliver, newChange } from "@/tests/helpers/deliver.ts";
import { embeddingRouteForTests } from "@/tests/helpers/embedding-route.ts";

const ONE = "create-embedding-for-post";
const MANY = "create-embeddings-for-posts";
const { database, inbox, runsByTask, cancelAll } = embeddingRouteForTests("queues");
let runsBefore: Record<string, number>;

beforeEach(async () => {
  await cancelAll();
  runsBefore = await runsByTask();
});

/** How many runs of each task this test has triggered. */
async function triggered(): Promise<Record<string, number>> {
  const after = await runsByTask();
  const more = Object.entries(after).map(([task, count]) => [task, count - (runsBefore[task] ?? 0)] as const);
  return Object.fromEntries(more.filter(([, count]) => count > 0));
}

const changeOf = (id: number, metadata: object = {}) =>
  newChange("02_posts_update", { record_pks: [String(id)], ...metadata });

/** Changes of rows, one commit each. */
const edits = (count: number, first: number) => Array.from({ length: count }, (_, n) => changeOf(first + n));

/** Changes of many rows in one commit, or a part of them. */
const commit = (count: number, first: number, from = 0) =>
  Array.from({ length: count }, (_, n) =>
    changeOf(first + n, { commit_lsn: 1_000_000 + first, commit_idx: from + n }),
  );

const queues = async () => (await inbox()).map(({ id, queue }) => [Number(id), queue]);
const all = (count: number, first: number, queue: string) =>
  Array.from({ length: count }, (_, n) => [first + n, queue]);

describe("a delivery", () => {
  it("of edits is in the realtime queue, with one run each", async () => {
    const { body } = await deliver({ data: edits(20, 100) });
    expect(body).toMatchObject({ triggered: 20, pending: 0, ignored: 0 });
    expect(await queues()).toEqual(all(20, 100, "realtime"));
    expect(await triggered()).toEqual({ [ONE]: 20 });
  });

  it("of many rows of one commit is in the batch queue, and wakes the drain", async () => {
    const { body } = await deliver({ data: commit(500, 1_000) });
    expect(body).toEqual({ triggered: 0, pending: 500, ignored: 0, runs: [] });
    expect(await queues()).toEqual(all(500, 1_000, "batch"));
    expect(await triggered()).toEqual({ [MANY]: 1 });
  });

  it("of a few rows from the middle of a large commit is in the batch queue", async () => {
    expect(await deliver({ data: commit(5, 2_000, 700) })).toMatchObject({ body: { pending: 5 } });
    expect(await queues()).toEqual(all(5, 2_000, "batch"));
  });

  it("of a backfill and of edits keeps the edits in the realtime queue", async () => {
    const reads = edits(100, 3_000).map((message) => ({ ...message, action: "read" }));
    const { body } = await deliver({ data: [...edits(2, 2_998), ...reads] });
    expect(body).toMatchObject({ triggered: 2, pending: 100 });
    expect(await queues()).toEqual([...all(2, 2_998, "realtime"), ...all(100, 3_000, "batch")]);
    expect(await triggered()).toEqual({ [ONE]: 2, [MANY]: 1 });
  });

  it("in which a row changed several times has one run for it, and returns it for each message", async () => {
    const { body } = await deliver({ data: [...edits(3, 4_000), ...edits(3, 4_000)] });
    expect(body).toMatchObject({ triggered: 6, pending: 0 });
    expect(body.runs).toHaveLength(3);
    expect(await queues()).toEqual(all(3, 4_000, "realtime"));
    expect(await triggered()).toEqual({ [ONE]: 3 });
  });
});

it("wakes the drain once, however many deliveries arrive until it starts", async () => {
  for (let delivery = 0; delivery < 5; delivery += 1)
    await deliver({ data: commit(20, 5_000 + 20 * delivery) });
  expect(await triggered()).toEqual({ [MANY]: 1 });
  const list = (await runs.list({ taskIdentifier: MANY, status: ["QUEUED"] })).data;
  const [run] = await Promise.all(list.map(({ id }) => runs.retrieve(id)));
  expect(run?.payload).toEqual({});
});

it("leaves edits to the drain while there are more than Trigger.dev accepts in addition to everything else: 600 a minute", async () => {
  const bucket = async () =>
    (await database.db.execute(sql`select name, tokens from aftercommit.rate_limits`)).rows;
  await deliver({ data: edits(1, 9_999) });
  expect(await bucket()).toEqual([{ name: "trigger.dev", tokens: 599 }]);
  await database.db.execute(sql`update aftercommit.rate_limits set tokens = -500`);
  const { body } = await deliver({ data: edits(90, 10_000) });
  expect(body).toEqual({ triggered: 0, pending: 90, ignored: 0, runs: [] });
  expect(await triggered()).toEqual({ [ONE]: 1, [MANY]: 1 });
  expect(await queues()).toEqual(all(91, 9_999, "realtime"));
});

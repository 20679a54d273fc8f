import { runs } from "@trigger.dev/sdk";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { startTriggerServer } from "../trigger-server.ts";
import { deliver, newChange, secret } from "./deliver.ts";

let server: Awaited<ReturnType<typeof startTriggerServer>>;

beforeAll(async () => {
  server = await startTriggerServer("tr_dev_lanes");
  vi.stubEnv("SEQUIN_WEBHOOK_SECRET", secret);
  vi.stubEnv("TRIGGER_API_URL", server.url);
  vi.stubEnv("TRIGGER_SECRET_KEY", "tr_dev_lanes");
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await server.close();
});

const changeOf = (id: number, action = "update") => ({
  ...newChange("02_posts_update", { record_pks: [String(id)] }),
  action,
});

const changes = (count: number, first: number, action?: string) =>
  Array.from({ length: count }, (_, index) => changeOf(first + index, action));

const idsFrom = (first: number, count: number) =>
  Array.from({ length: count }, (_, index) => String(first + index));

describe("a delivery of several messages", () => {
  it("that are a few edits triggers a live run for each", async () => {
    const { status, body } = await deliver({ data: changes(3, 100) });
    expect({ status, triggered: body.triggered, runs: body.runs.length }).toEqual({
      status: 200,
      triggered: 3,
      runs: 3,
    });
    const run = await runs.retrieve(body.runs[0]);
    expect(run.taskIdentifier).toBe("create-embedding-for-post");
  });

  it("that are many triggers one bulk run, which carries their ids and nothing else", async () => {
    const { body } = await deliver({ data: changes(500, 1_000) });
    expect(body).toMatchObject({ triggered: 500, ignored: 0, runs: [expect.stringMatching(/^run_/)] });
    const run = await runs.retrieve(body.runs[0]);
    expect(run.taskIdentifier).toBe("create-embeddings-for-posts");
    expect(run.payload).toEqual({ postIds: idsFrom(1_000, 500) });
  });

  it("triggers the same run when it comes again", async () => {
    const data = changes(50, 2_000);
    const [first, second] = [await deliver({ data }), await deliver({ data })];
    expect(second.body.runs).toEqual(first.body.runs);
  });

  it("names a row once that changed several times", async () => {
    const data = [...changes(11, 3_000), ...changes(11, 3_000)];
    const { body } = await deliver({ data });
    const run = await runs.retrieve(body.runs[0]);
    expect(run.payload).toEqual({ postIds: idsFrom(3_000, 11) });
  });

  it("of a backfill and of edits keeps the edits live", async () => {
    const { body } = await deliver({ data: [...changes(2, 4_000), ...changes(100, 4_002, "read")] });
    const triggered = await Promise.all(body.runs.map((id: string) => runs.retrieve(id)));
    expect(triggered.map((run) => run.taskIdentifier).toSorted()).toEqual([
      "create-embedding-for-post",
      "create-embedding-for-post",
      "create-embeddings-for-posts",
    ]);
  });

  it("of which one can never be worked on triggers the run of the others", async () => {
    const bad = newChange("02_posts_update", { record_pks: ["no number"] });
    const { body } = await deliver({ data: [...changes(20, 5_000), bad] });
    const run = await runs.retrieve(body.runs[0]);
    expect(run.payload).toEqual({ postIds: idsFrom(5_000, 20) });
  });
});

it("a single row of a backfill goes to the bulk lane", async () => {
  const { body } = await deliver(changeOf(6_000, "read"));
  const run = await runs.retrieve(body.id);
  expect(run).toMatchObject({
    taskIdentifier: "create-embeddings-for-posts",
    payload: { postIds: ["6000"] },
  });
});

it("an update that surely left the text as it was triggers nothing", async () => {
  const message = changeOf(7_000);
  const changed = { ...message, record: { ...message.record, text_hash: "x" }, changes: { author: "Bob" } };
  expect(await deliver(changed)).toMatchObject({ status: 200, body: { triggered: 0, ignored: 1, runs: [] } });
});

import { gzipSync } from "node:zlib";
import { runs } from "@trigger.dev/sdk";
import { sql } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import { deliver, deliverRaw, newChange } from "@/tests/helpers/deliver.ts";
import { embeddingRouteForTests } from "@/tests/helpers/embedding-route.ts";

const aRun = { id: expect.stringMatching(/^run_/) };
const batchOf = (triggered: number, ignored: number) => ({
  triggered,
  pending: 0,
  ignored,
  runs: Array.from({ length: triggered }, () => expect.stringMatching(/^run_/)),
});

const { database, inbox } = embeddingRouteForTests("messages");

describe("a message of a sink with batch: false", () => {
  it.each([
    "01_posts_insert",
    "02_posts_update",
    "06_posts_delete",
    "08_posts_full_update",
    "10_posts_full_delete",
  ])("%s is in the inbox and triggers one run", async (name) => {
    const message = newChange(name, { record_pks: ["41"] });
    expect(await deliver(message)).toMatchObject({ status: 200, body: aRun });
    const changedAt = message.metadata.commit_timestamp;
    expect(await inbox()).toEqual([{ id: "41", queue: "realtime", changedAt }]);
  });

  it("leaves nothing of its row in its run, whose payload and tag name the post and which waits 14 days for a worker", async () => {
    const message = newChange("02_posts_update", { record_pks: ["42"] });
    const { body } = await deliver(message);
    const run = await runs.retrieve(body.id);
    expect(run.payload).toEqual({ postId: "42", changedAt: message.metadata.commit_timestamp });
    expect(run).toMatchObject({
      taskIdentifier: "create-embedding-for-post",
      tags: ["post:42"],
      ttl: "14d",
    });
  });

  it("of a backfill waits in the inbox for the drain", async () => {
    const message = {
      ...newChange("01_posts_insert", { commit_lsn: null, commit_idx: null, record_pks: ["43"] }),
      action: "read",
    };
    expect(await deliver(message)).toMatchObject({ status: 200, body: { pending: 1 } });
    expect(await inbox()).toEqual([{ id: "43", queue: "batch", changedAt: null }]);
  });

  it("of an old row sink, without action and changes, triggers a run", async () => {
    const { record, metadata } = newChange();
    const { table_schema, table_name } = metadata;
    for (const body of [
      { record, metadata: { ...metadata } },
      { record, metadata: { table_schema, table_name } },
      { record },
    ])
      expect(await deliver(body)).toMatchObject({ status: 200, body: aRun });
  });

  it("in gzip is decompressed, however the header is written", async () => {
    for (const encoding of ["gzip", "GZIP"]) {
      const body = gzipSync(JSON.stringify(newChange()));
      const headers = { "content-encoding": encoding };
      expect(await deliverRaw({ body, headers })).toMatchObject({ status: 200, body: aRun });
    }
  });

  it("with another content-encoding is not compressed, as Sequin sends it", async () => {
    const body = JSON.stringify(newChange());
    const headers = { "content-encoding": "zstd" };
    expect(await deliverRaw({ body, headers })).toMatchObject({ status: 200, body: aRun });
  });

  it("about another table or schema is acknowledged and skipped", async () => {
    for (const metadata of [{ table_name: "users" }, { table_schema: "archive" }]) {
      const answer = await deliver(newChange("01_posts_insert", metadata));
      expect(answer).toMatchObject({ status: 200, body: batchOf(0, 1) });
    }
    expect(await inbox()).toEqual([]);
  });

  it("about an update that certainly left the text alone is acknowledged and skipped", async () => {
    const message = { ...newChange("02_posts_update"), changes: { author: "Bob" } };
    expect(await deliver(message)).toMatchObject({ status: 200, body: batchOf(0, 1) });
    expect(await inbox()).toEqual([]);
  });

  it("with unchanged_toast for a body triggers a run, which reads the row", async () => {
    const message = newChange("02_posts_update");
    message.record.body = "unchanged_toast";
    expect(await deliver(message)).toMatchObject({ status: 200, body: aRun });
  });

  it("of 5 MB triggers a run with a small payload", async () => {
    const message = newChange("08_posts_full_update", { record_pks: ["44"] });
    message.record.body = "ä".repeat(2_500_000);
    const { status, body } = await deliver(message);
    expect(status).toBe(200);
    const { payload } = await runs.retrieve(body.id);
    expect(payload).toEqual({ postId: "44", changedAt: message.metadata.commit_timestamp });
  });

  it("with a key above 2^53 names the post exactly", async () => {
    const { body } = await deliver(newChange("01_posts_insert", { record_pks: ["9007199254740993"] }));
    expect(await runs.retrieve(body.id)).toMatchObject({
      payload: { postId: "9007199254740993" },
      tags: ["post:9007199254740993"],
    });
  });

  it("about an update that replaced the key names the row under both keys", async () => {
    const message = { ...newChange("02_posts_update", { record_pks: ["46"] }), changes: { id: 45 } };
    const { body } = await deliver(message);
    expect(body).toEqual(aRun);
    expect((await runs.retrieve(body.id)).tags).toEqual(["post:46"]);
    expect((await inbox()).map(({ id }) => id)).toEqual(["45", "46"]);
  });
});

describe("a batch", () => {
  it("triggers a run for each message, in the order of the messages", async () => {
    const ids = ["7", "5", "6"];
    const messages = ids.map((id) => newChange("02_posts_update", { record_pks: [id] }));
    const { status, body } = await deliver({ data: messages });
    expect({ status, body }).toEqual({ status: 200, body: batchOf(3, 0) });
    const tags = await Promise.all(body.runs.map(async (id: string) => (await runs.retrieve(id)).tags));
    expect(tags).toEqual(ids.map((id) => [`post:${id}`]));
  });

  it("of one message is answered like any batch", async () => {
    expect(await deliver({ data: [newChange()] })).toMatchObject({ status: 200, body: batchOf(1, 0) });
  });

  it("of nothing is acknowledged", async () => {
    expect(await deliver({ data: [] })).toMatchObject({ status: 200, body: batchOf(0, 0) });
  });

  it("accepts elements as the pull API wraps them", async () => {
    const data = [
      { ack_id: "a", data: newChange("01_posts_insert", { record_pks: ["1"] }) },
      { ack_id: "b", ...newChange("01_posts_insert", { record_pks: ["2"] }) },
    ];
    expect(await deliver({ data })).toMatchObject({ status: 200, body: batchOf(2, 0) });
  });

  it("may carry texts of any size, which nobody reads, and an edit among them is not held up", async () => {
    const body = "A long text. ".repeat(250_000);
    const data = Array.from({ length: 15 }, (_, id) => {
      const message = newChange("02_posts_update", { record_pks: [String(id + 1)] });
      return id === 14 ? message : { ...message, record: { ...message.record, body } };
    });
    const delivery = JSON.stringify({ data });
    expect(delivery.length).toBeGreaterThan(42_000_000);
    expect(await deliverRaw({ body: delivery })).toMatchObject({ status: 200, body: batchOf(15, 0) });
  });

  it("in gzip is decompressed", async () => {
    const data = ["1", "2"].map((id) => newChange("01_posts_insert", { record_pks: [id] }));
    const answer = await deliverRaw({
      body: gzipSync(JSON.stringify({ data })),
      headers: { "content-encoding": "gzip" },
    });
    expect(answer).toMatchObject({ status: 200, body: batchOf(2, 0) });
  });
});

it("a change that is delivered again, ten times over, is one row in the inbox under its newest version", async () => {
  const message = newChange("02_posts_update", { record_pks: ["47"] });
  const version = async () =>
    BigInt(
      (await database.db.execute<{ v: string }>(sql`select version as v from aftercommit.pending`)).rows[0]
        ?.v ?? 0,
    );
  await deliver(message);
  const first = await version();
  const answers = await Promise.all(Array.from({ length: 9 }, () => deliver(message)));
  expect(answers.map(({ status }) => status)).toEqual(new Array(9).fill(200));
  // The run of an earlier delivery may have ended, and would not see a later one.
  expect(new Set(answers.map(({ body }) => body.id)).size).toBe(9);
  expect((await inbox()).map(({ id }) => id)).toEqual(["47"]);
  expect(await version()).toBeGreaterThanOrEqual(first + 9n);
});

import { gzipSync } from "node:zlib";
import { runs } from "@trigger.dev/sdk";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { withMetadata } from "../fixtures/recorded.ts";
import { startTriggerServer } from "../trigger-server.ts";
import { deliver, deliverRaw, newChange, secret } from "./deliver.ts";

const aRun = { id: expect.stringMatching(/^run_/) };
const batchOf = (triggered: number, ignored: number) => ({
  triggered,
  ignored,
  runs: Array.from({ length: triggered }, () => expect.stringMatching(/^run_/)),
});

let server: Awaited<ReturnType<typeof startTriggerServer>>;

beforeAll(async () => {
  for (const level of ["info", "warn"] as const) vi.spyOn(console, level).mockImplementation(() => {});
  server = await startTriggerServer("tr_dev_messages");
  vi.stubEnv("SEQUIN_WEBHOOK_SECRET", secret);
  vi.stubEnv("TRIGGER_API_URL", server.url);
  vi.stubEnv("TRIGGER_SECRET_KEY", "tr_dev_messages");
});
afterAll(async () => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  await server.close();
});

describe("a message of a sink with batch: false", () => {
  it.each(["01_posts_insert", "02_posts_update", "08_posts_full_update"])(
    "%s triggers one run",
    async (name) => {
      expect(await deliver(newChange(name))).toMatchObject({ status: 200, body: aRun });
    },
  );

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

  it("of a backfill triggers a run, though it has no place in the log", async () => {
    const message = {
      ...newChange("01_posts_insert", { commit_lsn: null, commit_idx: null }),
      action: "read",
    };
    expect(await deliver(message)).toMatchObject({ status: 200, body: aRun });
  });

  it("of a row sink of old, without action and changes, triggers a run", async () => {
    const { record, metadata } = newChange();
    const { table_schema, table_name } = metadata;
    for (const body of [
      { record, metadata: { ...metadata } },
      { record, metadata: { table_schema, table_name } },
      { record },
    ])
      expect(await deliver(body)).toMatchObject({ status: 200, body: aRun });
  });

  it("in gzip is inflated, however the header is written", async () => {
    for (const encoding of ["gzip", "GZIP"]) {
      const body = gzipSync(JSON.stringify(newChange()));
      const headers = { "content-encoding": encoding };
      expect(await deliverRaw({ body, headers })).toMatchObject({ status: 200, body: aRun });
    }
  });

  it("under another content-encoding is plain, as Sequin sends it", async () => {
    const body = JSON.stringify(newChange());
    const headers = { "content-encoding": "zstd" };
    expect(await deliverRaw({ body, headers })).toMatchObject({ status: 200, body: aRun });
  });

  it.each(["06_posts_delete", "10_posts_full_delete"])(
    "%s needs no run: the vectors went with the post",
    async (name) => {
      const answer = await deliver(newChange(name));
      expect(answer).toMatchObject({ status: 200, body: { triggered: 0, ignored: 1, runs: [] } });
    },
  );

  it("about another table or schema is acknowledged and ignored", async () => {
    for (const metadata of [{ table_name: "users" }, { table_schema: "archive" }]) {
      const answer = await deliver(newChange("01_posts_insert", metadata));
      expect(answer).toMatchObject({ status: 200, body: { triggered: 0, ignored: 1, runs: [] } });
    }
  });

  it("with unchanged_toast for a body triggers a run, which reads the row", async () => {
    const message = newChange("02_posts_update");
    message.record.body = "unchanged_toast";
    expect(await deliver(message)).toMatchObject({ status: 200, body: aRun });
  });

  it("of 5 MB triggers a run whose payload is as small as any", async () => {
    const message = newChange("08_posts_full_update", { record_pks: ["43"] });
    message.record.body = "ä".repeat(2_500_000);
    const { status, body } = await deliver(message);
    expect(status).toBe(200);
    const { payload } = await runs.retrieve(body.id);
    expect(payload).toEqual({ postId: "43", changedAt: message.metadata.commit_timestamp });
  });

  it("with a key above 2^53 names the post exactly", async () => {
    const { body } = await deliver(newChange("01_posts_insert", { record_pks: ["9007199254740993"] }));
    expect(await runs.retrieve(body.id)).toMatchObject({
      payload: { postId: "9007199254740993" },
      tags: ["post:9007199254740993"],
    });
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
    expect(await deliver({ data: [] })).toMatchObject({
      status: 200,
      body: { triggered: 0, ignored: 0, runs: [] },
    });
  });

  it("counts what it ignores", async () => {
    const data = [
      newChange(),
      newChange("06_posts_delete"),
      newChange("01_posts_insert", { table_name: "users" }),
    ];
    expect(await deliver({ data })).toMatchObject({ status: 200, body: batchOf(1, 2) });
  });

  it("takes elements as the pull API wraps them", async () => {
    const data = [
      { ack_id: "a", data: newChange() },
      { ack_id: "b", ...newChange() },
    ];
    expect(await deliver({ data })).toMatchObject({ status: 200, body: batchOf(2, 0) });
  });

  it("in gzip is inflated", async () => {
    const body = gzipSync(JSON.stringify({ data: [newChange(), newChange()] }));
    const answer = await deliverRaw({ body, headers: { "content-encoding": "gzip" } });
    expect(answer).toMatchObject({ status: 200, body: batchOf(2, 0) });
  });
});

describe("a change that is delivered again", () => {
  it("answers the run that it has, ten times over", async () => {
    const message = newChange();
    const answers = await Promise.all(Array.from({ length: 10 }, () => deliver(message)));
    expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1);
    expect(answers.map(({ status }) => status)).toEqual(new Array(10).fill(200));
    const { id } = answers[0]?.body ?? {};
    expect((await deliver({ data: [message] })).body).toEqual({ triggered: 1, ignored: 0, runs: [id] });
  });

  it("is the same change after Sequin's restart, when its columns come in another order", async () => {
    const message = newChange();
    const record = Object.fromEntries(Object.entries(message.record).toReversed());
    const [first, second] = [await deliver(message), await deliver({ ...message, record })];
    expect(second.body).toEqual(first.body);
  });

  it("is another run for another sink, and for another change of the row", async () => {
    const message = newChange();
    const answers = await Promise.all([
      deliver(message),
      deliver(withMetadata(message, { consumer: { id: "33333333-3333-4333-8333-333333333333" } })),
      deliver(newChange()),
    ]);
    expect(new Set(answers.map(({ body }) => body.id)).size).toBe(3);
  });
});

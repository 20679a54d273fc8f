import { gzipSync } from "node:zlib";
import { runs } from "@trigger.dev/sdk";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { type Delivery, deliver, deliverRaw, newChange, secret } from "@/tests/helpers/deliver.ts";
import { embeddingRouteForTests } from "@/tests/helpers/embedding-route.ts";
import { MAX_BODY_BYTES } from "./read-text.ts";

const tooLarge = { error: `The body is larger than ${MAX_BODY_BYTES} bytes; lower the sink's batch_size` };
const unauthorized = { error: "Unauthorized" };

const { inbox, logged } = embeddingRouteForTests("refusals");

beforeEach(() => void vi.stubEnv("SEQUIN_WEBHOOK_SECRET_PREVIOUS", undefined));

/** Nothing was accepted, and nothing triggered. */
async function expectNothing(): Promise<void> {
  expect(await inbox()).toEqual([]);
  expect((await runs.list({ limit: 100 })).data).toEqual([]);
}

/** A body of `mebibytes` that is never in memory as a whole, and whether it was read to its end. */
function endless(mebibytes: number) {
  const mebibyte = new Uint8Array(1024 * 1024).fill(0x20);
  const state = { read: 0 };
  const body = new ReadableStream({
    pull(controller) {
      if (state.read === mebibytes) return controller.close();
      state.read += 1;
      controller.enqueue(mebibyte);
    },
  });
  return { body, state };
}

describe("without the right secret", () => {
  const wrong = { authorization: "Bearer wrong" };

  it.each<[string, Delivery]>([
    ["a good message", { body: JSON.stringify(newChange()), headers: wrong }],
    ["no token", { body: JSON.stringify(newChange()), headers: { authorization: "" } }],
    [
      "Bearer undefined",
      { body: JSON.stringify(newChange()), headers: { authorization: "Bearer undefined" } },
    ],
    ["broken JSON", { body: "{", headers: wrong }],
    ["broken gzip", { body: "{", headers: { ...wrong, "content-encoding": "gzip" } }],
    ["a message without a key", { body: '{"record":{}}', headers: wrong }],
  ])("%s is answered 401, without a reason", async (_, delivery) => {
    const answer = await deliverRaw(delivery);
    expect(answer).toMatchObject({ status: 401, body: unauthorized });
    expect(answer.headers.get("www-authenticate")).toBe("Bearer");
    await expectNothing();
  });

  it("the body is not even read", async () => {
    const { body, state } = endless(8);
    await deliverRaw({ body, headers: wrong });
    expect(state.read).toBeLessThanOrEqual(1);
  });
});

describe.each([undefined, "", " "])("with SEQUIN_WEBHOOK_SECRET=%j", (unset) => {
  it.each(["Bearer undefined", "Bearer ", "Bearer", "", `Bearer ${secret}`])(
    "nothing passes, not even %j: 500, and the variable is named in the log only",
    async (authorization) => {
      vi.stubEnv("SEQUIN_WEBHOOK_SECRET", unset);
      const { status, body } = await deliverRaw({
        body: JSON.stringify(newChange()),
        headers: { authorization },
      });
      expect({ status, body }).toEqual({
        status: 500,
        body: { error: "The server is not configured; see its log" },
      });
      expect(logged().join()).toContain("SEQUIN_WEBHOOK_SECRET is not set");
      await expectNothing();
    },
  );
});

describe("a body that cannot be read", () => {
  it.each<[string, Delivery, RegExp]>([
    ["is not JSON", { body: '{"record":' }, /^The body is not JSON: /],
    ["is empty", { body: "" }, /^The body is not JSON: /],
    ["is missing", {}, /^The body is not JSON: /],
    ["is not UTF-8", { body: new Uint8Array([0x22, 0xff, 0x22]) }, /^The body is not UTF-8: /],
    ["is no gzip", { body: "{}", headers: { "content-encoding": "gzip" } }, /^The body is not gzip: /],
    [
      "is gzip that was cut",
      {
        body: gzipSync(JSON.stringify(newChange())).subarray(0, 200),
        headers: { "content-encoding": "gzip" },
      },
      /^The body is not gzip: /,
    ],
    [
      "is gzip of no JSON",
      { body: gzipSync("<html>"), headers: { "content-encoding": "gzip" } },
      /^The body is not JSON: /,
    ],
  ])("because it %s is answered 400", async (_, delivery, error) => {
    const { status, body } = await deliverRaw(delivery);
    expect({ status, body }).toEqual({ status: 400, body: { error: expect.stringMatching(error) } });
  });

  it("because it is too large is answered 413, read no further than the limit", async () => {
    const { body, state } = endless(1_000);
    expect(await deliverRaw({ body })).toMatchObject({ status: 413, body: tooLarge });
    expect(state.read).toBeLessThan(MAX_BODY_BYTES / 1024 / 1024 + 3);
  });

  it("because it decompresses beyond the limit is answered 413", async () => {
    const bomb = gzipSync(Buffer.alloc(MAX_BODY_BYTES + 1, " "));
    expect(bomb.length).toBeLessThan(100_000);
    const answer = await deliverRaw({ body: bomb, headers: { "content-encoding": "gzip" } });
    expect(answer).toMatchObject({ status: 413, body: tooLarge });
  });
});

describe("an invalid message", () => {
  const { record, metadata } = newChange();

  it.each([
    ["null", null, ""],
    ["a text", "unchanged_toast", ""],
    ["an array of messages", [newChange()], ""],
    ["an empty object", {}, "record"],
    ["a record that is none", { record: "x" }, "record"],
    ["an unknown action", { action: "truncate", record, metadata }, "action"],
    ["metadata that is none", { action: "insert", record, metadata: [] }, "metadata"],
    [
      "keys that are no texts",
      { action: "insert", record, metadata: { ...metadata, record_pks: [1] } },
      "metadata.record_pks[0]",
    ],
    ["a key that is no bigint", { action: "insert", record: { ...record, id: "x" }, metadata }, "record.id"],
    [
      "no key, and one that is no bigint in the metadata",
      { action: "insert", record: {}, metadata: { ...metadata, record_pks: ["x"] } },
      "metadata.record_pks[0]",
    ],
    ["no key", { action: "insert", record: {}, metadata: {} }, "record.id"],
    ["a bare row", record, "record"],
  ])("is answered 422 with its place: %s", async (_, message, at) => {
    const { status, body } = await deliver(message);
    expect(status).toBe(422);
    expect(body).toEqual({
      error: expect.stringMatching(/^.+: .+/),
      errors: [{ error: body.error, at }],
      triggered: 0,
      pending: 0,
      ignored: 0,
      runs: [],
    });
    expect(body.error.startsWith(`${at || "body"}: `)).toBe(true);
    await expectNothing();
  });

  it("has its place in the batch named, and in the log, but not its contents", async () => {
    const data = [{ ack_id: "a", data: { record: { id: "hunter2" } } }, "hunter2"];
    const { status, body } = await deliver({ data });
    expect(status).toBe(422);
    expect(body.errors.map(({ at }: { at: string }) => at)).toEqual(["data[0].record.id", "data[1]"]);
    expect(logged().map((line) => JSON.parse(line))).toEqual([
      expect.objectContaining({ event: "message.invalid", at: "data[0].record.id" }),
      expect.objectContaining({ event: "message.invalid", at: "data[1]" }),
    ]);
    expect(logged().join()).not.toContain("hunter2");
  });
});

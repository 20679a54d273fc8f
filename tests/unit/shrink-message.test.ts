import { expect, it } from "vitest";
import { type SequinMessage, sequinMessageSchema } from "../../lib/sequin/message.ts";
import { shrinkMessage } from "../../lib/sequin/shrink-message.ts";
import { recorded, withMetadata } from "../fixtures/recorded.ts";

const update = recorded("08_posts_full_update");
const long = "x".repeat(5_000_000);
const sizeOf = (message: SequinMessage) => JSON.stringify(message).length;
const shrunk = (message: object) => shrinkMessage(sequinMessageSchema.parse(message));

it("leaves a message of ordinary size as it is", () => {
  const message = sequinMessageSchema.parse(recorded("01_posts_insert"));
  expect(shrinkMessage(message)).toBe(message);
});

it("drops long columns and the old values of a large message, and keeps what names the change", () => {
  const message = shrunk({ ...update, record: { ...update.record, body: long }, changes: { body: long } });
  expect(message.record).toMatchObject({ id: 2, title: "big 2", status: "draft" });
  expect(message.record).not.toHaveProperty("body");
  expect(message.changes).toBeNull();
  expect(message.action).toBe("update");
  expect(message.metadata).toMatchObject({
    record_pks: ["2"],
    idempotency_key: update.metadata.idempotency_key,
  });
});

it.each(["transaction_annotations", "enrichment"])("drops %s of a large message", (field) => {
  expect(sizeOf(shrunk(withMetadata(update, { [field]: { note: long } })))).toBeLessThan(64 * 1024);
});

it("still makes a valid message", () => {
  const message = shrunk({ ...update, record: { ...update.record, body: long } });
  expect(sequinMessageSchema.safeParse(message).success).toBe(true);
});

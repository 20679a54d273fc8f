import { describe, expect, it } from "vitest";
import { touchesText } from "../../lib/embeddings/touches-text.ts";
import { type SequinMessage, sequinMessageSchema } from "../../lib/sequin/message.ts";

const hash = "5d41402a-bc4b-2a76-b971-9d911017c592";

const message = (given: object): SequinMessage =>
  sequinMessageSchema.parse({
    action: "update",
    record: { id: 1, text_hash: hash },
    changes: null,
    ...given,
  });

describe("an update surely left the text as it was", () => {
  it.each([
    ["other columns changed", { author: "Alice", updated_at: "2026-01-01T00:00:00Z" }],
    ["a migration filled in the hash", { text_hash: null }],
    ["a migration filled in the hash, and a trigger set the time", { text_hash: null, updated_at: "…" }],
  ])("when only %s", (_, changes) => {
    expect(touchesText(message({ changes }))).toBe(false);
  });
});

describe("a message may have changed the text", () => {
  it.each([
    ["the hash changed with a column", { changes: { body: "old", text_hash: null } }],
    ["nobody knows what changed, as under replica identity default", { changes: {} }],
    ["changes are missing", { changes: null }],
    ["the publication leaves the hash out", { record: { id: 1 }, changes: { author: "Alice" } }],
    ["it is an insert", { action: "insert" }],
    ["it is of a backfill", { action: "read" }],
    ["it is of a row sink of old", { action: undefined }],
  ])("when %s", (_, given) => {
    expect(touchesText(message(given))).toBe(true);
  });
});

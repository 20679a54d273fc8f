import { describe, expect, it } from "vitest";
import { rowIdOf } from "../../lib/embeddings/embedding-run.ts";
import { posts } from "../../lib/embeddings/posts.ts";
import { InvalidMessageError } from "../../lib/errors.ts";
import { sequinMessageSchema } from "../../lib/sequin/message.ts";

const messageOf = (id: unknown, record_pks?: string[]) =>
  sequinMessageSchema.parse({ action: "insert", record: { id }, metadata: { record_pks } });

function placeOf(id: unknown, record_pks?: string[]): string {
  try {
    rowIdOf(messageOf(id, record_pks), posts);
  } catch (error) {
    if (error instanceof InvalidMessageError) return error.at;
    throw error;
  }
  throw new Error("The key was taken");
}

describe("the key of a post", () => {
  it.each([
    [
      "the exact text of record_pks, where the number has lost digits",
      9007199254740992,
      ["9007199254740993"],
      "9007199254740993",
    ],
    ["a number", 7, undefined, "7"],
    ["a text", "7", undefined, "7"],
    ["the record's where record_pks is empty", 7, [], "7"],
    ["the largest bigint", 0, ["9223372036854775807"], "9223372036854775807"],
    ["the smallest bigint", 0, ["-9223372036854775808"], "-9223372036854775808"],
  ])("is %s", (_, id, pks, expected) => {
    expect(rowIdOf(messageOf(id, pks), posts)).toBe(expected);
  });

  it.each([
    ["a number that may have lost digits", 9007199254740992, undefined, "record.id"],
    ["a fraction", 1.5, undefined, "record.id"],
    ["null", null, undefined, "record.id"],
    ["missing", undefined, undefined, "record.id"],
    ["a key of two columns", undefined, ["1", "2"], "record.id"],
    ["a uuid", 1, ["20f5cc55-b218-4aad-8fa7-ef7556575776"], "metadata.record_pks[0]"],
    ["empty", 1, [""], "metadata.record_pks[0]"],
    ["beyond bigint", 1, ["9223372036854775808"], "metadata.record_pks[0]"],
    ["below bigint", 1, ["-9223372036854775809"], "metadata.record_pks[0]"],
    ["endless digits", 1, ["1".repeat(100_000)], "metadata.record_pks[0]"],
  ])("is refused when it is %s", (_, id, pks, at) => {
    expect(placeOf(id, pks)).toBe(at);
  });
});

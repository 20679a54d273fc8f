import { describe, expect, it } from "vitest";
import { InvalidMessageError } from "../errors.ts";
import { rowChangeOf } from "../sequin/row-change.ts";
import type { KeyType } from "../source.ts";
import { replacedKeyOf, rowIdOf } from "./row-id.ts";

const messageOf = (record: object, record_pks?: string[], changes: object | null = null) =>
  rowChangeOf({ action: "update", record, changes, metadata: { record_pks } });

function placeOf(record: object, keyType: KeyType, record_pks?: string[]): string {
  try {
    rowIdOf(messageOf(record, record_pks), "id", keyType);
  } catch (error) {
    if (error instanceof InvalidMessageError) return error.at;
    throw error;
  }
  throw new Error("The key was taken");
}

const UUID = "20f5cc55-b218-4aad-8fa7-ef7556575776";

describe("the key of a row", () => {
  it.each<[string, KeyType, object, string[] | undefined, string]>([
    [
      "the exact text of record_pks, where the number has lost digits on its way",
      "bigint",
      { id: "9007199254740992" },
      ["9007199254740993"],
      "9007199254740993",
    ],
    ["a number", "bigint", { id: 7 }, undefined, "7"],
    ["a text", "integer", { id: "7" }, undefined, "7"],
    ["written in one way", "bigint", { id: "007" }, undefined, "7"],
    ["the declared column's, not the primary key's", "text", { id: "slug" }, ["1"], "slug"],
    ["record_pks' where a transform left the column out", "bigint", {}, ["7"], "7"],
    ["the largest bigint", "bigint", { id: "9223372036854775807" }, undefined, "9223372036854775807"],
    ["the smallest bigint", "bigint", { id: "-9223372036854775808" }, undefined, "-9223372036854775808"],
    ["a uuid in lower case", "uuid", { id: UUID.toUpperCase() }, undefined, UUID],
    ["any text", "text", { id: " a:b\n" }, undefined, " a:b\n"],
  ])("is %s", (_, keyType, record, pks, expected) => {
    expect(rowIdOf(messageOf(record, pks), "id", keyType)).toBe(expected);
  });

  it.each<[string, KeyType, object, string[] | undefined, string]>([
    ["a number that may have lost digits", "bigint", { id: 9007199254740992 }, undefined, "record.id"],
    ["a fraction", "bigint", { id: 1.5 }, undefined, "record.id"],
    ["null", "bigint", { id: null }, undefined, "record.id"],
    ["missing", "bigint", {}, undefined, "record.id"],
    ["of two columns", "bigint", {}, ["1", "2"], "record.id"],
    ["a uuid for a bigint", "bigint", {}, [UUID], "metadata.record_pks[0]"],
    ["empty", "bigint", { id: "" }, undefined, "record.id"],
    ["beyond bigint", "bigint", { id: "9223372036854775808" }, undefined, "record.id"],
    ["below bigint", "bigint", { id: "-9223372036854775809" }, undefined, "record.id"],
    ["beyond integer", "integer", { id: 2147483648 }, undefined, "record.id"],
    ["beyond smallint", "smallint", { id: 32768 }, undefined, "record.id"],
    ["endless digits", "bigint", { id: "1".repeat(100_000) }, undefined, "record.id"],
    ["a number for a uuid", "uuid", { id: 1 }, undefined, "record.id"],
    ["a text with NUL", "text", { id: "a\0" }, undefined, "record.id"],
    ["half of a surrogate pair", "text", { id: "\ud800" }, undefined, "record.id"],
    ["an endless text", "text", { id: "a".repeat(501) }, undefined, "record.id"],
  ])("is invalid when it is %s", (_, keyType, record, pks, at) => {
    expect(placeOf(record, keyType, pks)).toBe(at);
  });
});

describe("the key that an update replaced", () => {
  it.each([
    ["that of changes", { id: 6 }, "6"],
    ["none where the key is not among the changes", { title: "old" }, undefined],
    ["none where nobody knows what changed", {}, undefined],
    ["none of an insert", null, undefined],
  ])("is %s", (_, changes, expected) => {
    expect(replacedKeyOf(messageOf({ id: 7 }, ["7"], changes), "id", "bigint")).toBe(expected);
  });
});

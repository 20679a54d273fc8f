import { describe, expect, it } from "vitest";
import { defineEmbedding } from "../define.ts";
import { rowChangeOf } from "../sequin/row-change.ts";
import { touchesText } from "./touches-text.ts";

const table = { row: "post", table: "public.posts", key: "id" };
const plain = defineEmbedding({ ...table, text: ["title", "body"] });
const chosen = defineEmbedding({ ...table, text: ["title", "body"], where: "published_at is not null" });
const ofSummary = defineEmbedding({ ...table, text: ["title", "summary"] });
const expression = defineEmbedding({ ...table, text: "upper(title) || coalesce(summary, '')" });
const ofLanguages = defineEmbedding({
  ...table,
  text: ["title"],
  language: { column: "lang", configurations: { de: "german" } },
});
const capitals = defineEmbedding({ ...table, text: "COALESCE(Title, '') || body", where: "PUBLISHED" });
const wholeRow = defineEmbedding({ ...table, text: "text_of(posts)" });

const record = { id: 1, title: "Title", body: "Body", lang: "de" };
const update = (changes: object | null, action: string | undefined = "update") =>
  rowChangeOf({ action, record, changes });

describe("an update certainly left the text alone", () => {
  it.each([
    ["other columns changed", plain, { author: "Alice", updated_at: "2026-01-01T00:00:00Z" }],
    ["other columns than the condition's changed", chosen, { author: "Alice" }],
    ["other columns than the expression's changed", expression, { body: "old" }],
  ])("when only %s", (_, declaration, changes) => {
    expect(touchesText(update(changes), declaration)).toBe(false);
  });
});

describe("a message may have changed the text", () => {
  it.each([
    ["a column of the text changed", plain, update({ author: "Alice", body: "old" })],
    ["the key changed", plain, update({ id: 2 })],
    ["a column of the condition changed", chosen, update({ published_at: null })],
    ["a column of the expression changed", expression, update({ summary: null })],
    ["a column changed that the expression spells in capitals", capitals, update({ title: "old" })],
    ["a column changed that the condition spells in capitals", capitals, update({ published: false })],
    ["the language changed", ofLanguages, update({ lang: "en" })],
    ["the expression takes the whole row", wholeRow, update({ author: "Alice" })],
    ["a column of the text is not published, as a generated one", ofSummary, update({ author: "Alice" })],
    ["nobody knows what changed, as under replica identity default", plain, update({})],
    ["changes are missing", plain, update(null)],
    ["it is an insert", plain, update({ author: "Alice" }, "insert")],
    ["it is a delete", plain, update(null, "delete")],
    ["it is of a backfill", plain, update(null, "read")],
  ])("when %s", (_, declaration, message) => {
    expect(touchesText(message, declaration)).toBe(true);
  });
});

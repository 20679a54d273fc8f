import { describe, expect, it } from "vitest";
import { piecesOf, splitAt } from "./marked.tsx";
import { searchParameters } from "./parameters.ts";

const F = "where[created_at]";

describe("a filter of the search form", () => {
  it.each([
    ["Jane", [[F, "Jane"]]],
    ["  ", []],
    [">= 2026-01-01", [[`${F}[gte]`, "2026-01-01"]]],
    ["<=5", [[`${F}[lte]`, "5"]]],
    ["> 5", [[`${F}[gt]`, "5"]]],
    ["<5", [[`${F}[lt]`, "5"]]],
    [
      "2026-01-01 .. 2026-02-01",
      [
        [`${F}[gte]`, "2026-01-01"],
        [`${F}[lte]`, "2026-02-01"],
      ],
    ],
    [">", [[F, ">"]]],
    ["J. R. R.", [[F, "J. R. R."]]],
  ])("that says %j asks for %j", (value, parameters) => {
    expect([...searchParameters([[F, value]])]).toEqual(parameters);
  });

  it("leaves other fields as they are, without the empty ones", () => {
    const fields = [
      ["q", " >= 5 "],
      ["mode", ""],
    ] as const;
    expect([...searchParameters(fields)]).toEqual([["q", ">= 5"]]);
  });
});

describe("a highlight", () => {
  it("becomes text and marked words, and a row's title is taken off", () => {
    const pieces = piecesOf("A <mark>dog&#39;s</mark> life\n\n&lt;b&gt; &amp;amp; <mark>dogs</mark>");
    expect(pieces.map(({ text }) => text)).toEqual(["A ", "dog's", " life\n\n<b> &amp; ", "dogs", ""]);
    const [title, rest] = splitAt(pieces, "A dog's life".length);
    const shown = (of: typeof pieces) =>
      of.map(({ text, isFound }) => (isFound && text ? `[${text}]` : text)).join("");
    expect([shown(title), shown(rest)]).toEqual(["A [dog's] life", "\n\n<b> &amp; [dogs]"]);
  });
});

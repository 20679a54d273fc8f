import { describe, expect, test } from "vitest";
import { formatDuration } from "../format/duration.ts";
import { indentJson } from "../format/indent-json.ts";
import { relativeTime } from "../format/relative-time.ts";

test.each([
  [0, "0 ms"],
  [999.4, "999 ms"],
  [1_000, "1.0 s"],
  [59_949, "59.9 s"],
  [59_999, "1 min"],
  [184_000, "3 min 4 s"],
  [3_599_900, "1 h"],
  [7_500_000, "2 h 5 min"],
  [273_600_000, "3 d 4 h"],
  [-5, "0 ms"],
])("%s ms are written %s", (ms, text) => {
  expect(formatDuration(ms)).toBe(text);
});

test.each([
  [-400, "just now"],
  [400, "now"],
  [-1_000, "1 s ago"],
  [-59_999, "59 s ago"],
  [-60_000, "1 min ago"],
  [-3_600_000, "1 h ago"],
  [-90_000_000, "1 d ago"],
  [3_000, "in 3 s"],
])("a time %s ms from now is %s", (distance, text) => {
  const now = Date.UTC(2026, 0, 15);
  expect(relativeTime(now + distance, now)).toBe(text);
});

describe("JSON laid out over lines", () => {
  test.each([
    [{ a: 1, b: [true, null, { c: "x" }], d: {}, e: [] }],
    ['just text: with, punctuation {and} "quotes" \\ [brackets]'],
    [[{ "key: {": "value, }" }]],
    [[[[]], [{}]]],
  ])("looks as JSON.stringify has it: %j", (value) => {
    expect(indentJson(JSON.stringify(value))).toBe(JSON.stringify(value, null, 2));
  });

  test("keeps each number as it is written", () => {
    expect(indentJson('{"a":12345678901234567890.50,"b":1.0,"c":-1e400}')).toBe(
      '{\n  "a": 12345678901234567890.50,\n  "b": 1.0,\n  "c": -1e400\n}',
    );
  });
});

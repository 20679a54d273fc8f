import { expect, it } from "vitest";
import { parseJson } from "../../packages/aftercommit/src/ingress/parse-json.ts";

it.each([
  ['{"id":9007199254740993}', { id: "9007199254740993" }],
  ['{"id":-9223372036854775808,"n":1}', { id: "-9223372036854775808", n: 1 }],
  ['{"id":9007199254740991}', { id: 9007199254740991 }],
  ['{"a":0.12345678901234567890,"b":1e-1234567890123456}', { a: 0.12345678901234568, b: 0 }],
  ['{"a":1234567890123456.5}', { a: 1234567890123456.5 }],
  [
    '{"9007199254740993":"id 9007199254740993, \\"9007199254740993\\\\"}',
    { "9007199254740993": 'id 9007199254740993, "9007199254740993\\' },
  ],
  ["[9007199254740993,[9007199254740993]]", ["9007199254740993", ["9007199254740993"]]],
  ["9007199254740993", "9007199254740993"],
])("reads %s with all its digits", (text, expected) => {
  expect(parseJson(text)).toEqual(expected);
});

it("reads a text of many megabytes", () => {
  const long = `9007199254740993\\\\\\"`.repeat(500_000);
  expect(parseJson(`{"text":"${long}","id":9007199254740993}`)).toMatchObject({ id: "9007199254740993" });
});

it("rejects what is not JSON", () => {
  expect(() => parseJson('{"id":9007199254740993')).toThrow(SyntaxError);
});

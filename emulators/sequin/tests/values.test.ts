import { describe, expect, test } from "vitest";
import { type CastOptions, cast } from "../message/cast.ts";
import { writeFloat } from "../message/float.ts";
import { RawJson, writeJson } from "../message/json.ts";
import { parseArray, parseComposite } from "../message/literal.ts";
import { followPath } from "../message/path.ts";

const STREAM: CastOptions = { from: "stream", timestamps: "iso8601", modifier: -1 };
const READ: CastOptions = { from: "read", timestamps: "iso8601", modifier: -1 };
const MICROS: CastOptions = { from: "stream", timestamps: "unix_microsecond", modifier: -1 };

function json(name: string, text: string | null, options = STREAM): string {
  return writeJson(cast({ name, delimiter: ",", anyEncoder: false }, text, options));
}

describe("a captured value becomes the JSON that Sequin sends", () => {
  test.each([
    ["int8", "9223372036854775807", "9223372036854775807"],
    ["int2", "-3", "-3"],
    ["numeric", "0.00000001", '"0.00000001"'],
    ["numeric", "NaN", '"NaN"'],
    ["float8", "1", "1.0"],
    ["float8", "1e+20", "1.0e20"],
    ["float4", "1.5", "1.5"],
    ["float8", "NaN", '"NaN"'],
    ["float8", "-Infinity", '"-Infinity"'],
    ["bool", "t", "true"],
    ["text", 'a"b', '"a\\"b"'],
    ["bpchar", "ab  ", '"ab  "'],
    ["uuid", "20f5cc55-b218-4aad-8fa7-ef7556575776", '"20f5cc55-b218-4aad-8fa7-ef7556575776"'],
    ["timestamptz", "2024-10-28 21:37:01.12747+00", '"2024-10-28T21:37:01.127470Z"'],
    ["timestamptz", "infinity", '"infinity"'],
    ["timestamptz", "0044-03-15 12:00:00+00 BC", '"0044-03-15 12:00:00+00 BC"'],
    ["timestamptz", "10000-01-01 00:00:00+00", '"10000-01-01 00:00:00+00"'],
    ["date", "0044-03-15 BC", '"0044-03-15 BC"'],
    ["date", "infinity", '"infinity"'],
    ["time", "24:00:00", '"24:00:00"'],
    ["float4", "3.4e+38", "3.4e38"],
    ["tsvector", "'cat':3A 'fat':2", `"'cat':3A 'fat':2"`],
    ["timestamp", "2024-10-28 21:37:01", '"2024-10-28T21:37:01.000000"'],
    ["date", "2024-10-28", '"2024-10-28"'],
    ["time", "12:34:56.789", '"12:34:56"'],
    ["timetz", "12:34:56.7+02", '"12:34:56"'],
    ["jsonb", '{"k": [1.0, null]}', '{"k":[1.0,null]}'],
    [
      "jsonb",
      '{"2.50": "a \\" 2.50", "n": [2.50, 1e2, -0.10, 12345678901234567890]}',
      '{"2.50":"a \\" 2.50","n":[2.5,100.0,-0.1,12345678901234567890]}',
    ],
    ["_jsonb", '{"{\\"a\\": 2.50}"}', '[{"a":2.5}]'],
    ["json", "null", "null"],
    ["_int4", "{{1,2},{3,NULL}}", "[[1,2],[3,null]]"],
    ["_text", '{a,"b c","NULL",NULL,"null","q\\"\\\\"}', '["a","b c",null,null,"null","q\\"\\\\"]'],
    ["_text", '{""}', '[""]'],
    ["_text", "{}", "[]"],
    ["_numeric", "{1.50,2}", '["1.50","2"]'],
    ["_float8", "[0:1]={1,2.5}", "[1.0,2.5]"],
    ["bytea", "\\x010203", '"\\\\x010203"'],
    ["vector", "[1,2.5]", "[1.0,2.5]"],
    ["halfvec", "[1,2,3]", '"[1,2,3]"'],
    ["interval", "1 year 2 mons -3 days -04:05:06.7", '{"months":14,"days":-3,"microseconds":-14706700000}'],
    ["interval", "00:00:00", '{"months":0,"days":0,"microseconds":0}'],
    ["inet", "10.0.0.1", '"10.0.0.1"'],
    ["int4range", "[1,5)", '"[1,5)"'],
    ["money", "$1.00", '"$1.00"'],
    ["text", null, "null"],
  ])("%s %s", (name, text, expected) => {
    expect(json(name, text)).toBe(expected);
  });
});

describe("a backfilled value differs where Sequin's table reader does", () => {
  test.each([
    ["time", "12:34:56.789", '"12:34:56.789000"'],
    ["timestamptz", "-infinity", '"-inf"'],
    ["xml", "<a/>", "null"],
    ["halfvec", "[1]", "null"],
    ["inet", "10.0.0.1", "null"],
    ["money", "$1.00", "null"],
    ["bpchar", "ab  ", "null"],
    ["bit", "00000001101", "null"],
    ["varbit", "101", "null"],
    ["int4range", "[1,5)", "null"],
    ["tstzrange", "empty", "null"],
    ["cidr", "10.0.0.0/8", "null"],
    ["macaddr", "08:00:2b:01:02:03", "null"],
    ["point", "(1,2)", "null"],
    ["_inet", "{10.0.0.1}", "null"],
    ["jsonpath", '$."a"', "null"],
    ["name", "n", '"n"'],
    ["float4", "3.4e+38", "3.3999999521443642e38"],
    ["float4", "0.1", "0.10000000149011612"],
    ["float8", "-Infinity", '"-inf"'],
    ["float8", "NaN", '"NaN"'],
    ["timetz", "01:34:56.7+02", '"23:34:56.700000"'],
    ["timetz", "23:00:00-03:30", '"02:30:00.000000"'],
    ["date", "infinity", '"5881610-07-11"'],
    ["date", "0044-03-15 BC", '"-0043-03-15"'],
    ["date", "2024-10-28", '"2024-10-28"'],
    ["timestamptz", "0044-03-15 12:00:00+00 BC", '"-0043-03-15T12:00:00.000000Z"'],
    ["timestamp", "10000-01-01 00:00:00", '"10000-01-01T00:00:00.000000"'],
    ["_text", '{"NULL",NULL}', '["NULL",null]'],
    [
      "tsvector",
      "'cat':3A,4 'it''s'",
      `[{"type":"lexeme","word":"cat","positions":[[3,"A"],[4,null]]},{"type":"lexeme","word":"it's","positions":[]}]`,
    ],
    ["jsonb", '{"n": 2.50}', '{"n":2.5}'],
    ["hstore", '"a"=>"1", "b"=>NULL', '{"a":"1","b":null}'],
    ["numeric", "1.50", '"1.50"'],
  ])("%s %s", (name, text, expected) => {
    expect(json(name, text, READ)).toBe(expected);
  });
});

test.each([
  ["timestamptz", 0, "2024-10-28 21:37:01+00", '"2024-10-28T21:37:01Z"'],
  ["timestamp", 3, "2024-10-28 21:37:01.12", '"2024-10-28T21:37:01.120"'],
  ["time", 2, "12:34:56.7", '"12:34:56.70"'],
])(
  "a backfilled %s(%d) keeps the digits of its type, a captured one has always its own",
  (name, modifier, text, expected) => {
    expect(json(name, text, { ...READ, modifier })).toBe(expected);
    expect(json(name, text, { ...STREAM, modifier })).toBe(json(name, text, STREAM));
  },
);

test("a backfilled enum or domain is sent whatever it holds, an array of them is not", () => {
  const read = (name: string, anyEncoder: boolean, text: string) =>
    writeJson(cast({ name, delimiter: ",", anyEncoder }, text, READ));
  expect(read("mood", true, "happy")).toBe('"happy"');
  expect(read("_mood", false, "{happy}")).toBe("null");
});

test("timestamp_format unix_microsecond changes timestamps only, also in arrays", () => {
  expect(json("timestamptz", "2024-10-28 21:37:01.12747+00", MICROS)).toBe("1730151421127470");
  expect(json("_timestamp", '{"1969-12-31 23:59:59.5"}', MICROS)).toBe("[-500000]");
  expect(json("date", "2024-10-28", MICROS)).toBe('"2024-10-28"');
});

test.each([
  [100, "100.0"],
  [1000, "1.0e3"],
  [123456, "123456.0"],
  [0.001, "0.001"],
  [0.00001, "1.0e-5"],
  [-0.5, "-0.5"],
  [0, "0.0"],
  [2 ** 53, "9.007199254740992e15"],
])("the float %d is written %s, as Erlang's shortest form", (value, expected) => {
  expect(writeFloat(value)).toBe(expected);
});

test("a row's text keeps commas, quotes, backslashes, line breaks, empty and missing values apart", () => {
  expect(parseComposite('(1,"a ""b"", \\\\c\nd",,"",é)')).toEqual(["1", 'a "b", \\c\nd', null, "", "é"]);
  expect(parseComposite("()")).toEqual([null]);
});

test("an array's text may have another delimiter", () => {
  expect(parseArray("{(1,1),(0,0);(2,2),(1,1)}", ";")).toEqual(["(1,1),(0,0)", "(2,2),(1,1)"]);
});

test("a path transform leads into objects and jsonb columns, and to null elsewhere", () => {
  const message = {
    record: { id: new RawJson("1"), meta: new RawJson('{"k":{"x":[1]}}') },
    action: "insert",
  };
  expect(writeJson(followPath(message, "record.meta.k.x"))).toBe("[1]");
  expect(writeJson(followPath(message, "record.id"))).toBe("1");
  expect(writeJson(followPath(message, "record.nothing.here"))).toBe("null");
  expect(writeJson(followPath(message, "action"))).toBe('"insert"');
});

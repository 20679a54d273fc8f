import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { ConfigError, parseConfig } from "../config/load.ts";
import { takesTable } from "../config/source.ts";
import { substitute } from "../config/substitute.ts";

const quiet = () => {};

function config(sink: string, rest = ""): string {
  return `
databases: [{ name: db, hostname: h, database: app, an_unknown_key: ignored }]
http_endpoints: [{ name: app, url: "http://u:p@h:1/base/", headers: { A: "1", B: "1" }, encrypted_headers: [{ key: B, value: "2" }] }]
${rest}
sinks: [{ name: s, database: db, destination: { type: webhook, http_endpoint: app }, ${sink} }]`;
}
function sinkOf(sink: string, rest?: string) {
  const [only] = parseConfig(config(sink, rest), {}, quiet).sinks;
  if (!only) throw new Error("no sink");
  return only;
}

test("the project's own sequin.yaml is accepted, with its variables replaced", async () => {
  const text = await readFile(new URL("../../../sequin.yaml", import.meta.url), "utf8");
  const said: string[] = [];
  const { sinks } = parseConfig(
    text,
    { SEQUIN_WEBHOOK_SECRET: "s3cret", DATABASE_URL: "postgres://u:p@h:5432/app" },
    (line) => said.push(line),
  );
  expect(sinks.map(({ name, url, actions, batch }) => ({ name, url, actions, batch }))).toEqual([
    {
      name: "posts-embedding",
      url: "http://host.docker.internal:3000/api/create-embedding-for-post",
      actions: ["insert", "update", "delete"],
      batch: true,
    },
    {
      name: "users-deletion",
      url: "http://host.docker.internal:3000/api/delete-user",
      actions: ["delete"],
      batch: false,
    },
  ]);
  expect(sinks.map(({ headers }) => headers)).toEqual(Array(2).fill({ authorization: "Bearer s3cret" }));
  expect(said).toEqual([]);
});

test("a sink's defaults are Sequin's: every action, batches of one, groups by key, active", () => {
  expect(sinkOf("")).toMatchObject({
    actions: ["insert", "update", "delete"],
    batch: true,
    batchSize: 1,
    grouping: true,
    status: "active",
    maxRetryCount: null,
    initialBackfill: false,
    transformPath: null,
  });
});

test("encrypted headers win, names are lower-cased, and user info is dropped from the URL", () => {
  expect(sinkOf("")).toMatchObject({ url: "http://h:1/base/", headers: { a: "1", b: "2" } });
});

test("a variable that is not set and has no default becomes an empty string, and is named in the log", () => {
  const said: string[] = [];
  const text = config("").replace('"2"', "'Bearer $A_SECRET'");
  const [sink] = parseConfig(text, {}, (line) => said.push(line)).sinks;
  expect(sink?.headers.b).toBe("Bearer ");
  expect(said).toEqual([expect.stringContaining("A_SECRET is not set")]);
});

test("substitution reaches every string except code, and what it yields stays a string", () => {
  const given = {
    a: [`\${X}`, { b: `\${Y:-d}/$X/\${EMPTY:-e}/\${EMPTY}` }],
    code: `\${X} $X`,
    n: 1,
    dollar: "a$$b",
  };
  const missing: string[] = [];
  expect(substitute(given, { X: "1", EMPTY: "" }, (name) => missing.push(name))).toEqual({
    a: ["1", { b: "d/1/e/" }],
    code: `\${X} $X`,
    n: 1,
    dollar: "a$b",
  });
  expect(missing).toEqual([]);
});

describe("a file that Sequin would refuse is refused, with the place and what is allowed", () => {
  test.each([
    [
      "ack_wait_ms: 1000",
      /^sinks\[0\]: unknown key "ack_wait_ms" \(Sequin refuses it\); accepted: name, database/,
    ],
    ["filters: []", /unknown key "filters"/],
    [
      "source: { include_table: [posts] }",
      /^sinks\[0\]\.source: unknown key "include_table" .*accepted: include_tables/,
    ],
    ['batch_size: "5"', /^sinks\[0\]\.batch_size: a whole number/],
    ["batch_size: 1001", /^sinks\[0\]\.batch_size/],
    ["max_retry_count: 0", /^sinks\[0\]\.max_retry_count/],
    ["status: stopped", /^sinks\[0\]\.status/],
    ["actions: [read]", /^sinks\[0\]\.actions\[0\]/],
    ["transform: missing", /\.transform: no function is called "missing"/],
    ["timestamp_format: unix", /^sinks\[0\]\.timestamp_format/],
    ["initial_backfill: [{ table: posts, type: partial }]", /needs sort_column and start_position/],
  ])("%s", (sink, expected) => {
    expect(() => sinkOf(sink)).toThrow(ConfigError);
    expect(() => sinkOf(sink)).toThrow(expected);
  });

  test.each([
    [
      "an endpoint's unknown key",
      (text: string) => text.replace("{ name: app, url", "{ name: app, uri: x, url"),
      /^http_endpoints\[0\]: unknown key "uri"/,
    ],
    [
      "an endpoint that is not there",
      (text: string) => text.replace("http_endpoint: app", "http_endpoint: web"),
      /no http_endpoint is called "web"/,
    ],
    [
      "a database that is not there",
      (text: string) => text.replace("database: db", "database: other"),
      /no database is called "other"/,
    ],
    [
      "batch: false with a batch size",
      (text: string) =>
        text.replace("http_endpoint: app }", "http_endpoint: app, batch: false }, batch_size: 2"),
      /^sinks\[0\]\.batch_size: must be 1/,
    ],
    [
      "a path without its slash",
      (text: string) =>
        text.replace("http_endpoint: app }", "http_endpoint: app, http_endpoint_path: hook }"),
      /http_endpoint_path: empty, or a path/,
    ],
    [
      "another kind of sink",
      (text: string) => text.replace("type: webhook", "type: kafka"),
      /delivers to webhook only/,
    ],
  ])("%s", (_, change, expected) => {
    expect(() => parseConfig(change(config("")), {}, quiet)).toThrow(expected);
  });
});

test("a path transform works; Elixir functions are refused clearly", () => {
  const functions = `functions: [{ name: row, type: path, path: record }, { name: only-big, type: filter, code: "def filter(a, r, c, m), do: true" }, { name: nested, function: { type: path, path: record.id } }]`;
  expect(sinkOf("transform: row", functions).transformPath).toBe("record");
  expect(sinkOf("transform: nested", functions).transformPath).toBe("record.id");
  expect(sinkOf("transform: none", functions).transformPath).toBeNull();
  expect(() => sinkOf("filter: only-big", functions)).toThrow(
    /does not run Elixir or SQL functions \("only-big"\)/,
  );
});

test("a database URL that Sequin would refuse is said, and text that is not YAML is refused", () => {
  const said: string[] = [];
  const text = config("").replace(
    "hostname: h, database: app",
    `url: "postgres://u:p@h/app?sslmode=require"`,
  );
  parseConfig(text, {}, (line) => said.push(line));
  expect(said).toEqual([expect.stringContaining("no port"), expect.stringContaining("query string")]);
  expect(() => parseConfig("sinks: [", {}, quiet)).toThrow(ConfigError);
});

test("a source takes tables by list and schema, and leaves out what it excludes", () => {
  const posts = { schema: "public", name: "posts" };
  expect(takesTable({}, posts)).toBe(true);
  expect(takesTable({ includeTables: ["posts"] }, posts)).toBe(true);
  expect(takesTable({ includeTables: ["other.posts"] }, posts)).toBe(false);
  expect(takesTable({ excludeTables: ["public.posts"] }, posts)).toBe(false);
  expect(takesTable({ includeSchemas: ["other"] }, posts)).toBe(false);
  expect(takesTable({ excludeSchemas: ["public"] }, posts)).toBe(false);
});

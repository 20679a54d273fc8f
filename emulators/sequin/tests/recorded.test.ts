import { describe, expect, test } from "vitest";
import { z } from "zod";
import { recordedRequest } from "../../../tests/fixtures/requests.ts";
import { until } from "../../../tests/helpers/until.ts";
import { type Message, message } from "./receiver.ts";
import { sequinForTests } from "./sequin-for-tests.ts";
import type { SinkYaml } from "./stack.ts";

const sequin = sequinForTests();
const { sql } = sequin;

const body = z.union([z.object({ data: z.array(message) }), message.transform((one) => ({ data: [one] }))]);
const messagesIn = (name: string) => body.parse(JSON.parse(recordedRequest(name).body)).data;

/** The sinks of the recordings, each with a different path. */
const sink = (name: string, table: string, more: SinkYaml = {}): SinkYaml => ({
  name,
  source: { include_tables: [`public.${table}`] },
  ...more,
  destination: { http_endpoint_path: `/${name}`, ...more.destination },
});
const SINKS = [
  sink("posts-embedding", "posts"),
  sink("posts-second", "posts"),
  sink("posts-batched", "posts", { batch_size: 14, destination: { batch: true } }),
  sink("users-deletion", "users"),
];

async function start(tables: string): Promise<void> {
  await sql(tables);
  await sequin.start(
    {},
    {
      sinks: SINKS,
      endpoint: { headers: { Authorization: "Bearer SECRET" } },
      // The recorded batch was filled by two transactions.
      pace: { batchTimeoutMs: 3_600_000 },
    },
  );
}

/** Creates the rows of the messages with the messages' statements, in one transaction each. */
async function replay(messages: Message[], kept: Record<string, unknown>): Promise<void> {
  for (const { action, record, changes, metadata } of messages) {
    const table = metadata.table_name;
    const populate = `json_populate_record(null::${table}, $1)`;
    // As text, because JSON.parse rounds numbers above 2^53.
    const before = { ...record, id: metadata.record_pks[0], ...changes, ...kept };
    await sql(`insert into ${table} select * from ${populate}`, [JSON.stringify(before)]);
    if (action === "delete") await sql(`delete from ${table} where id::text = $1`, [record.id]);
    if (action === "read") await sequin.stack.backfill(metadata.consumer.name, `public.${table}`);
    if (action !== "update") continue;
    const changed = Object.keys(changes ?? {}).concat(Object.keys(kept).length > 0 ? ["title"] : []);
    const assigned = changed.map((column) => `${column} = new.${column}`);
    await sql(
      `update ${table} set ${assigned.join(", ")} from (select * from ${populate}) new where ${table}.id::text = $2`,
      [JSON.stringify(record), String(before.id)],
    );
  }
}

/** The request that contains the counterpart of the last of these messages, once it has arrived. */
const requestOf = ({ action, metadata }: Message) =>
  until(
    () =>
      sequin.receiver.requests.find(
        ({ url, messages }) =>
          url === `/${metadata.consumer.name}` && messages.some((one) => one.action === action),
      ),
    { what: `the ${action} at ${metadata.consumer.name}` },
  );

/** Everything except ids, positions and times, of which only the form is compared, and the database's names. */
function comparable({ metadata, ...rest }: Message) {
  const { commit_lsn, commit_idx, commit_timestamp, idempotency_key, consumer, database, ...shared } =
    metadata;
  return {
    ...rest,
    metadata: {
      ...shared,
      database_name: "",
      transaction_annotations: null,
      consumer: { ...consumer, id: "" },
    },
    positions: [typeof commit_lsn, typeof commit_idx],
    timestamp: commit_timestamp.replace(/\d/g, "0"),
    key: Buffer.from(idempotency_key, "base64")
      .toString()
      .replace(/[0-9a-f]+/g, "0"),
    database: Object.keys(Object(database)).sort(),
  };
}
const byKey = (messages: Message[]) =>
  messages.map(comparable).sort((a, b) => Number(a.record.id) - Number(b.record.id));

async function expectSame(name: string, kept: Record<string, unknown> = {}): Promise<void> {
  const expected = messagesIn(name);
  await replay(expected, kept);
  const got = await requestOf(expected.at(-1) ?? expect.fail("no message"));
  expect(byKey(got.messages)).toEqual(byKey(expected));
  const { host, "content-length": length, ...headers } = got.headers;
  expect({ ...headers, host: "127.0.0.1:7777" }).toEqual(recordedRequest(name).headers);
  expect(Object.keys(JSON.parse(got.body)).sort()).toEqual(
    Object.keys(JSON.parse(recordedRequest(name).body)).sort(),
  );
}

describe("the emulator sends what a running Sequin sent of the same rows", () => {
  const POSTS = `create table posts (id bigint primary key, title text, body text, author text,
    created_at timestamptz, updated_at timestamptz)`;
  const USERS = `create table users (id uuid primary key, first_name text, last_name text, email text,
    created_at timestamptz, updated_at timestamptz)`;
  const full = (table: string) => `; alter table ${table} replica identity full`;

  test.each([
    "posts_insert",
    "posts_insert_with_transaction_annotations",
    "posts_key_change",
    "posts_read",
    "posts_update_author",
    "posts_update_created_at",
    "posts_update_title",
  ])("%s", async (name) => {
    await start(POSTS + full("posts"));
    await expectSame(name);
  });

  test("posts_update_unchanged_toast", async () => {
    await start(POSTS);
    const large = Array.from({ length: 4000 }, (_, n) =>
      String.fromCodePoint(0x4e00 + ((n * 7919) % 20_000)),
    );
    await expectSame("posts_update_unchanged_toast", { body: large.join(""), title: "before" });
  });

  test("users_delete_default_identity", async () => {
    await start(USERS);
    await expectSame("users_delete_default_identity");
  });

  test("users_delete_full_identity", async () => {
    await start(USERS + full("users"));
    await expectSame("users_delete_full_identity");
  });

  test.each(["wide_insert_55_columns", "wide_update", "wide_read_55_columns", "wide_batch_of_14"])(
    "%s",
    async (name) => {
      await start(`${await widePosts()}${full("posts")}`);
      await expectSame(name);
    },
  );
});

/** Types of extensions that this server does not have become text: their recorded values are null. */
async function widePosts(): Promise<string> {
  await sql("drop type if exists mood; create type mood as enum ('happy')");
  await sql("drop domain if exists score; create domain score as numeric(5, 2)");
  const extensions = await sql(
    "select name from pg_available_extensions where name in ('vector', 'hstore', 'citext')",
  );
  for (const { name } of extensions) await sql(`create extension if not exists ${name}`);
  const columns = Object.entries(WIDE).map(async ([name, type]) => {
    const [found] = await sql("select to_regtype($1) is not null as known", [type.replace(/\(.*/, "")]);
    return `${name} ${found.known ? type : "text"}`;
  });
  return `create table posts (${(await Promise.all(columns)).join(", ")}, primary key (id))`;
}

const WIDE: Record<string, string> = {
  id: "bigint",
  title: "text",
  body: "text",
  author: "text",
  created_at: "timestamptz",
  updated_at: "timestamptz",
  c_2d: "int4[]",
  c_ba: "bytea[]",
  c_bit: "bit(8)",
  c_bool: "bool",
  c_bytea: "bytea",
  c_char: "char(5)",
  c_cidr: "cidr",
  c_citext: "citext",
  c_date: "date",
  c_date_inf: "date",
  c_dbl: "float8",
  c_dom: "score",
  c_enum: "mood",
  c_fa: "float8[]",
  c_half: "halfvec(3)",
  c_hs: "hstore",
  c_i4r: "int4range",
  c_ia: "int4[]",
  c_inet: "inet",
  c_int2: "int2",
  c_int4: "int4",
  c_iv: "interval",
  c_json: "json",
  c_jsonb: "jsonb",
  c_jsonba: "jsonb[]",
  c_mac: "macaddr",
  c_money: "money",
  c_na: "numeric[]",
  c_null: "text",
  c_num: "numeric",
  c_num2: "numeric(10, 2)",
  c_oid: "oid",
  c_point: "point",
  c_real: "float4",
  c_sparse: "sparsevec(5)",
  c_ta: "text[]",
  c_time: "time",
  c_timetz: "timetz",
  c_ts: "timestamp",
  c_ts3: "timestamp(3)",
  c_tsv: "tsvector",
  c_tz: "timestamptz",
  c_tz0: "timestamptz(0)",
  c_tza: "timestamptz[]",
  c_tzr: "tstzrange",
  c_uuid: "uuid",
  c_vbit: "varbit",
  c_vec: "vector(3)",
  c_xml: "xml",
};

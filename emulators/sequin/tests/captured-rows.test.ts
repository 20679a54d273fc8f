import { describe, expect, test } from "vitest";
import { short } from "./receiver.ts";
import { sequinForTests } from "./sequin-for-tests.ts";

const sequin = sequinForTests();
const { sql, start, messages } = sequin;

describe("values", () => {
  test("are the same whatever the writing session has set", async () => {
    await sql(
      "create table posts (id int primary key, at timestamptz, day date, raw bytea, f float8, i interval)",
    );
    await start();
    await sql(`begin; set local timezone = 'Asia/Tokyo'; set local datestyle = 'SQL, DMY';
      set local bytea_output = 'escape'; set local extra_float_digits = -10; set local intervalstyle = 'iso_8601';
      insert into posts values (1, '2024-10-28 21:37:01.12747+00', '2024-10-28', '\\x0102', 0.1::float8 + 0.2, '1 day 02:00');
      commit`);
    const [message] = await messages(1);
    expect(message?.record).toEqual({
      id: 1,
      at: "2024-10-28T21:37:01.127470Z",
      day: "2024-10-28",
      raw: "\\x0102",
      f: 0.30000000000000004,
      i: { months: 0, days: 1, microseconds: 7_200_000_000 },
    });
  });

  test("of enums, domains, arrays of them, and bigints beyond 2^53 keep their exact text", async () => {
    await sql(`create type mood as enum ('happy', 'so so'); create domain score as numeric(5, 2);
      create domain tags as text[]; create table posts (id bigint primary key, m mood, ms mood[], s score, t tags)`);
    await start();
    await sql(`insert into posts values (9007199254740993, 'so so', '{happy,"so so"}', 1.5, '{"a,b",NULL}')`);
    await messages(1);
    expect(sequin.receiver.requests[0]?.body).toContain(
      '"record":{"id":9007199254740993,"m":"so so","ms":["happy","so so"],"s":"1.50","t":["a,b",null]}',
    );
    expect(sequin.receiver.messages()[0]?.metadata.record_pks).toEqual(["9007199254740993"]);
  });

  test("of generated columns are left out, and a dropped column leaves no trace", async () => {
    await sql(`create table posts (id int primary key, gone text, title text, upper text generated always as (upper(title)) stored);
      alter table posts drop column gone`);
    await start();
    await sql("insert into posts (id, title) values (1, 'x')");
    expect((await messages(1)).map(({ record }) => record)).toEqual([{ id: 1, title: "x" }]);
  });

  test("of a column that is added later appear without a restart", async () => {
    await sql("create table posts (id int primary key)");
    await start();
    await sql("insert into posts values (1)");
    await sql("alter table posts add column title text default 'new'; update posts set id = 1");
    expect((await messages(2)).map(({ record }) => record)).toEqual([{ id: 1 }, { id: 1, title: "new" }]);
  });
});

describe("replica identity", () => {
  test("default: a changed key leaves no trace of the old one, and changes are empty", async () => {
    await sql("create table posts (id int primary key, title text)");
    await start();
    await sql("insert into posts values (1, 'a')");
    await sql("update posts set id = 2, title = 'b'");
    expect(short((await messages(2))[1] ?? expect.fail("no message"))).toEqual({
      action: "update",
      table: "posts",
      pks: ["2"],
      record: { id: 2, title: "b" },
      changes: {},
    });
  });

  test("full: changes hold the old values that differ, NULL among them, and {} when none does", async () => {
    await sql(
      "create table posts (id int primary key, title text, n int); alter table posts replica identity full",
    );
    await start();
    await sql("insert into posts values (1, null, 1)");
    await sql("update posts set id = 2, title = 'b'");
    await sql("update posts set title = 'b'");
    expect((await messages(3)).map(({ changes }) => changes)).toEqual([null, { id: 1, title: null }, {}]);
  });

  test("using an index: a delete has the index's columns", async () => {
    await sql(`create table posts (id int primary key, slug text not null, title text);
      create unique index by_slug on posts (slug); alter table posts replica identity using index by_slug`);
    await start();
    await sql("insert into posts values (1, 'a-b', 'x')");
    await sql("delete from posts");
    expect((await messages(2))[1]?.record).toEqual({ id: null, slug: "a-b", title: null });
  });

  test("none: inserts work, updates and deletes are refused in Postgres' words for a published table", async () => {
    await sql("create table posts (title text)");
    await start();
    await sql("insert into posts values ('a')");
    await expect(sql("update posts set title = 'b'")).rejects.toMatchObject({
      code: "55000",
      message:
        'cannot update table "posts" because it does not have a replica identity and publishes updates',
    });
    await expect(sql("delete from posts")).rejects.toMatchObject({
      message:
        'cannot delete from table "posts" because it does not have a replica identity and publishes deletes',
    });
    expect((await messages(1)).map(({ metadata }) => metadata.record_pks)).toEqual([[]]);
  });

  test("default: a large value that an update leaves alone is unchanged_toast, a new or small one is itself", async () => {
    await sql("create table posts (id int primary key, title text, body text, meta jsonb)");
    await start();
    await sql(
      `insert into posts select 1, 'a', string_agg(md5(i::text), ''), '{"small": true}' from generate_series(1, 400) i`,
    );
    await sql("update posts set title = 'b'");
    await sql("update posts set body = reverse(body)");
    const [inserted, kept, replaced] = (await messages(3)).map(({ record }) => record);
    expect(kept).toEqual({ id: 1, title: "b", body: "unchanged_toast", meta: { small: true } });
    expect(replaced?.body).toBe([...String(inserted?.body)].reverse().join(""));
  });
});

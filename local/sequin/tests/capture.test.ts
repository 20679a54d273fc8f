import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { realPostgres } from "../../../tests/real-postgres.ts";
import { until } from "../../../tests/until.ts";
import { uninstall } from "../uninstall.ts";
import { type Database, openDatabase } from "./database.ts";
import { type Message, type Receiver, startReceiver } from "./receiver.ts";
import { type SinkYaml, startStack } from "./stack.ts";

let database: Database;
let receiver: Receiver;
let stack: Awaited<ReturnType<typeof startStack>> | undefined;
beforeAll(async () => {
  database = await openDatabase();
});
beforeEach(async () => {
  receiver = await startReceiver();
  await database.empty();
});
afterEach(async () => {
  await stack?.close();
  stack = undefined;
  await receiver.close();
});
afterAll(() => database.close());

async function start(...sinks: SinkYaml[]) {
  stack = await startStack({
    databaseUrl: database.url,
    url: receiver.url,
    sinks: sinks.length > 0 ? sinks : [{}],
  });
  return stack;
}

/** The messages in commit order, once there are as many. */
async function messages(count: number): Promise<Message[]> {
  await until(() => receiver.messages().length >= count, {
    what: `${count} messages`,
    progress: () => receiver.messages().length,
  });
  return receiver.messages().sort(({ metadata: a }, { metadata: b }) => {
    return (a.commit_lsn ?? 0) - (b.commit_lsn ?? 0) || (a.commit_idx ?? 0) - (b.commit_idx ?? 0);
  });
}
const short = ({ action, metadata, record, changes }: Message) => ({
  action,
  table: metadata.table_name,
  pks: metadata.record_pks,
  record,
  changes,
});

describe("what a transaction becomes", () => {
  test("nothing when it rolls back, whole or to a savepoint", async () => {
    await database.sql("create table posts (id int primary key)");
    await start();
    await database.sql("begin; insert into posts values (1); rollback");
    await database.sql(
      "begin; savepoint s; insert into posts values (2); rollback to s; insert into posts values (3); commit",
    );
    const [only] = await messages(1);
    expect(only?.record).toEqual({ id: 3 });
    expect(await database.sql("select from sequin_local.change")).toHaveLength(1);
  });

  test("messages of one lsn and timestamp, counted from 0; later transactions have a greater lsn", async () => {
    await database.sql("create table posts (id int primary key)");
    await start();
    await database.sql("insert into posts values (1), (2); insert into posts values (3)");
    await database.sql("insert into posts values (4)");
    const [a, b, c, d] = (await messages(4)).map(({ metadata }) => metadata);
    expect([a, b, c, d].map((one) => one?.commit_idx)).toEqual([0, 1, 2, 0]);
    expect(new Set([a?.commit_lsn, b?.commit_lsn, c?.commit_lsn]).size).toBe(1);
    expect(d?.commit_lsn).toBeGreaterThan(a?.commit_lsn ?? Number.POSITIVE_INFINITY);
    expect(new Set([a?.commit_timestamp, c?.commit_timestamp]).size).toBe(1);
    expect(new Set([a, b, c, d].map((one) => one?.idempotency_key)).size).toBe(4);
  });

  test("no message for TRUNCATE, which still takes an index", async () => {
    await database.sql("create table posts (id int primary key)");
    await start();
    await database.sql("insert into posts values (1); truncate posts; insert into posts values (2)");
    expect((await messages(2)).map(({ metadata }) => metadata.commit_idx)).toEqual([0, 2]);
  });

  test("a parent's delete before its cascades", async () => {
    await database.sql(`create table posts (id int primary key);
      create table comments (id int primary key, post int references posts on delete cascade)`);
    await start();
    await database.sql("insert into posts values (1); insert into comments values (7, 1)");
    await database.sql("delete from posts");
    expect((await messages(4)).slice(2).map(short)).toMatchObject([
      { action: "delete", table: "posts", pks: ["1"] },
      { action: "delete", table: "comments", pks: ["7"] },
    ]);
  });

  test("a message also under session_replication_role replica, as in logical decoding", async () => {
    await database.sql("create table posts (id int primary key)");
    await start();
    await database.sql(
      "begin; set local session_replication_role = replica; insert into posts values (1); commit",
    );
    expect(await messages(1)).toHaveLength(1);
  });

  test("the same numbers never again after the schema was dropped", async () => {
    await database.sql("create table posts (id int primary key)");
    const first = await start();
    await database.sql("insert into posts values (1)");
    const [before] = await messages(1);
    await first.close();
    await uninstall({ databaseUrl: database.url });
    await start();
    await database.sql("insert into posts values (2)");
    const [, after] = await messages(2);
    expect(after?.metadata.commit_lsn).toBeGreaterThan(
      before?.metadata.commit_lsn ?? Number.POSITIVE_INFINITY,
    );
  });
});

describe("values", () => {
  test("are the same whatever the writing session has set", async () => {
    await database.sql(
      "create table posts (id int primary key, at timestamptz, day date, raw bytea, f float8, i interval)",
    );
    await start();
    await database.sql(`begin; set local timezone = 'Asia/Tokyo'; set local datestyle = 'SQL, DMY';
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
    await database.sql(`create type mood as enum ('happy', 'so so'); create domain score as numeric(5, 2);
      create domain tags as text[]; create table posts (id bigint primary key, m mood, ms mood[], s score, t tags)`);
    await start();
    await database.sql(
      `insert into posts values (9007199254740993, 'so so', '{happy,"so so"}', 1.5, '{"a,b",NULL}')`,
    );
    await messages(1);
    expect(receiver.requests[0]?.body).toContain(
      '"record":{"id":9007199254740993,"m":"so so","ms":["happy","so so"],"s":"1.50","t":["a,b",null]}',
    );
    expect(receiver.messages()[0]?.metadata.record_pks).toEqual(["9007199254740993"]);
  });

  test("of generated columns are left out, and a dropped column leaves no trace", async () => {
    await database.sql(`create table posts (id int primary key, gone text, title text, upper text generated always as (upper(title)) stored);
      alter table posts drop column gone`);
    await start();
    await database.sql("insert into posts (id, title) values (1, 'x')");
    expect((await messages(1)).map(({ record }) => record)).toEqual([{ id: 1, title: "x" }]);
  });

  test("of a column that is added later appear without a restart", async () => {
    await database.sql("create table posts (id int primary key)");
    await start();
    await database.sql("insert into posts values (1)");
    await database.sql("alter table posts add column title text default 'new'; update posts set id = 1");
    expect((await messages(2)).map(({ record }) => record)).toEqual([{ id: 1 }, { id: 1, title: "new" }]);
  });
});

describe("replica identity", () => {
  test("default: a changed key leaves no trace of the old one, and changes are empty", async () => {
    await database.sql("create table posts (id int primary key, title text)");
    await start();
    await database.sql("insert into posts values (1, 'a')");
    await database.sql("update posts set id = 2, title = 'b'");
    expect(short((await messages(2))[1] ?? expect.fail("no message"))).toEqual({
      action: "update",
      table: "posts",
      pks: ["2"],
      record: { id: 2, title: "b" },
      changes: {},
    });
  });

  test("full: changes hold the old values that differ, NULL among them, and {} when none does", async () => {
    await database.sql(
      "create table posts (id int primary key, title text, n int); alter table posts replica identity full",
    );
    await start();
    await database.sql("insert into posts values (1, null, 1)");
    await database.sql("update posts set id = 2, title = 'b'");
    await database.sql("update posts set title = 'b'");
    expect((await messages(3)).map(({ changes }) => changes)).toEqual([null, { id: 1, title: null }, {}]);
  });

  test("using an index: a delete has the index's columns", async () => {
    await database.sql(`create table posts (id int primary key, slug text not null, title text);
      create unique index by_slug on posts (slug); alter table posts replica identity using index by_slug`);
    await start();
    await database.sql("insert into posts values (1, 'a-b', 'x')");
    await database.sql("delete from posts");
    expect((await messages(2))[1]?.record).toEqual({ id: null, slug: "a-b", title: null });
  });

  test("none: inserts work, updates and deletes are refused in Postgres' words for a published table", async () => {
    await database.sql("create table posts (title text)");
    await start();
    await database.sql("insert into posts values ('a')");
    await expect(database.sql("update posts set title = 'b'")).rejects.toMatchObject({
      code: "55000",
      message:
        'cannot update table "posts" because it does not have a replica identity and publishes updates',
    });
    await expect(database.sql("delete from posts")).rejects.toMatchObject({
      message:
        'cannot delete from table "posts" because it does not have a replica identity and publishes deletes',
    });
    expect((await messages(1)).map(({ metadata }) => metadata.record_pks)).toEqual([[]]);
  });

  test("default: a large value that an update leaves alone is unchanged_toast, a new or small one is itself", async () => {
    await database.sql("create table posts (id int primary key, title text, body text, meta jsonb)");
    await start();
    await database.sql(
      `insert into posts select 1, 'a', string_agg(md5(i::text), ''), '{"small": true}' from generate_series(1, 400) i`,
    );
    await database.sql("update posts set title = 'b'");
    await database.sql("update posts set body = reverse(body)");
    const [inserted, kept, replaced] = (await messages(3)).map(({ record }) => record);
    expect(kept).toEqual({ id: 1, title: "b", body: "unchanged_toast", meta: { small: true } });
    expect(replaced?.body).toBe([...String(inserted?.body)].reverse().join(""));
  });
});

describe("tables", () => {
  test("a partition's change bears its parent's name, also for a partition made later", async () => {
    await database.sql(`create table events (id int, at date, primary key (id, at)) partition by range (at);
      create table events_1 partition of events for values from ('2024-01-01') to ('2025-01-01')`);
    await start({ source: { include_tables: ["public.events"] } });
    await database.sql(
      "create table events_2 partition of events for values from ('2025-01-01') to ('2026-01-01')",
    );
    await database.sql("insert into events values (1, '2024-05-05'), (2, '2025-05-05')");
    expect((await messages(2)).map(short)).toMatchObject([
      { table: "events", pks: ["1", "2024-05-05"] },
      { table: "events", pks: ["2", "2025-05-05"] },
    ]);
  });

  test("one that does not exist yet is waited for, said once, and captured when it appears or is made again", async () => {
    const { lines } = await start({ source: { include_tables: ["public.posts"] } });
    expect(lines).toEqual(["sink gets nothing of public.posts: it is not in the database yet"]);
    for (const id of [1, 2]) {
      await database.sql("drop table if exists posts; create table posts (id int primary key)");
      await until(
        async () =>
          (await database.sql("select from pg_trigger where tgrelid = 'posts'::regclass")).length === 2,
      );
      await database.sql("insert into posts values ($1)", [id]);
      await messages(id);
    }
  });

  test("a sink takes only its tables and actions; two sinks may take one table", async () => {
    await database.sql("create table posts (id int primary key); create table other (id int primary key)");
    await start(
      { name: "all", source: { include_tables: ["posts"] }, destination: { http_endpoint_path: "/all" } },
      {
        name: "deletes",
        actions: ["delete"],
        source: { include_tables: ["posts"] },
        destination: { http_endpoint_path: "/del" },
      },
    );
    await database.sql("insert into posts values (1); insert into other values (1); delete from posts");
    await messages(3);
    expect(receiver.requests.map(({ url, messages: [one] }) => `${url} ${one?.action}`).sort()).toEqual([
      "/all delete",
      "/all insert",
      "/del delete",
    ]);
    const keys = receiver.messages().map(({ action, metadata }) => `${action} ${metadata.idempotency_key}`);
    expect(new Set(keys).size).toBe(2);
  });

  test("uninstall leaves nothing of the stand-in behind, and the tables as they were", async () => {
    const left = `select (select count(*)::int from pg_trigger where not tgisinternal) as triggers,
      (select count(*)::int from pg_namespace where nspname ~ 'sequin') as schemas,
      (select count(*)::int from pg_proc p join pg_namespace n on n.oid = p.pronamespace where n.nspname ~ 'sequin') as functions`;
    await database.sql("create table posts (id int primary key)");
    await (await start()).close();
    expect(await database.sql(left)).toEqual([{ triggers: 2, schemas: 1, functions: 4 }]);
    await uninstall({ databaseUrl: database.url });
    expect(await database.sql(left)).toEqual([{ triggers: 0, schemas: 0, functions: 0 }]);
    await database.sql("insert into posts values (1)");
    await uninstall({ databaseUrl: database.url });
  });
});

describe("transactions side by side", () => {
  test.skipIf(!realPostgres)(
    "a transaction that began first and commits last is delivered (needs TEST_DATABASE_URL)",
    async () => {
      await database.sql("create table posts (id int primary key)");
      await start();
      const early = await database.pool.connect();
      await early.query("begin; insert into posts values (1)");
      await database.sql("insert into posts values (2)");
      await messages(1);
      await early.query("insert into posts values (3); commit");
      early.release();
      const all = await messages(3);
      expect(all.map(({ record }) => record.id)).toEqual([2, 1, 3]);
      expect(new Set(all.map(({ metadata }) => metadata.idempotency_key)).size).toBe(3);
    },
  );
});

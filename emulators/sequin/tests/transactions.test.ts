import { describe, expect, test } from "vitest";
import { realPostgres } from "../../../tests/helpers/real-postgres.ts";
import { short } from "./receiver.ts";
import { sequinForTests } from "./sequin-for-tests.ts";

const sequin = sequinForTests();
const { sql, start, messages } = sequin;

describe("what a transaction becomes", () => {
  test("nothing when it rolls back, whole or to a savepoint", async () => {
    await sql("create table posts (id int primary key)");
    await start();
    await sql("begin; insert into posts values (1); rollback");
    await sql(
      "begin; savepoint s; insert into posts values (2); rollback to s; insert into posts values (3); commit",
    );
    const [only] = await messages(1);
    expect(only?.record).toEqual({ id: 3 });
    expect(await sql("select from sequin_local.change")).toHaveLength(1);
  });

  test("messages of one lsn and timestamp, counted from 0; later transactions have a greater lsn", async () => {
    await sql("create table posts (id int primary key)");
    await start();
    await sql("insert into posts values (1), (2); insert into posts values (3)");
    await sql("insert into posts values (4)");
    const [a, b, c, d] = (await messages(4)).map(({ metadata }) => metadata);
    expect([a, b, c, d].map((one) => one?.commit_idx)).toEqual([0, 1, 2, 0]);
    expect(new Set([a?.commit_lsn, b?.commit_lsn, c?.commit_lsn]).size).toBe(1);
    expect(d?.commit_lsn).toBeGreaterThan(a?.commit_lsn ?? Number.POSITIVE_INFINITY);
    expect(new Set([a?.commit_timestamp, c?.commit_timestamp]).size).toBe(1);
    expect(new Set([a, b, c, d].map((one) => one?.idempotency_key)).size).toBe(4);
  });

  test("no message for TRUNCATE, which still takes an index", async () => {
    await sql("create table posts (id int primary key)");
    await start();
    await sql("insert into posts values (1); truncate posts; insert into posts values (2)");
    expect((await messages(2)).map(({ metadata }) => metadata.commit_idx)).toEqual([0, 2]);
  });

  test("a parent's delete before its cascades", async () => {
    await sql(`create table posts (id int primary key);
      create table comments (id int primary key, post int references posts on delete cascade)`);
    await start();
    await sql("insert into posts values (1); insert into comments values (7, 1)");
    await sql("delete from posts");
    expect((await messages(4)).slice(2).map(short)).toMatchObject([
      { action: "delete", table: "posts", pks: ["1"] },
      { action: "delete", table: "comments", pks: ["7"] },
    ]);
  });

  test("a message also under session_replication_role replica, as in logical decoding", async () => {
    await sql("create table posts (id int primary key)");
    await start();
    await sql("begin; set local session_replication_role = replica; insert into posts values (1); commit");
    expect(await messages(1)).toHaveLength(1);
  });

  test("the same numbers never again after the schema was dropped", async () => {
    await sql("create table posts (id int primary key)");
    const first = await start();
    await sql("insert into posts values (1)");
    const [before] = await messages(1);
    await first.close();
    await sql("drop schema sequin_local cascade");
    await start();
    await sql("insert into posts values (2)");
    const [, after] = await messages(2);
    expect(after?.metadata.commit_lsn).toBeGreaterThan(
      before?.metadata.commit_lsn ?? Number.POSITIVE_INFINITY,
    );
  });
});

describe("parallel transactions", () => {
  test.skipIf(!realPostgres)(
    "a transaction that began first and commits last is delivered (needs TEST_DATABASE_URL)",
    async () => {
      await sql("create table posts (id int primary key)");
      await start();
      const early = await sequin.database.pool.connect();
      await early.query("begin; insert into posts values (1)");
      await sql("insert into posts values (2)");
      await messages(1);
      await early.query("insert into posts values (3); commit");
      early.release();
      const all = await messages(3);
      expect(all.map(({ record }) => record.id)).toEqual([2, 1, 3]);
      expect(new Set(all.map(({ metadata }) => metadata.idempotency_key)).size).toBe(3);
    },
  );
});

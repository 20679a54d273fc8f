import { describe, expect, test } from "vitest";
import { until } from "../../../tests/helpers/until.ts";
import { ok } from "./receiver.ts";
import { sequinForTests } from "./sequin-for-tests.ts";

const sequin = sequinForTests(
  "create table posts (id int primary key, title text); create table users (id int primary key)",
);
const { sql, start, insert, ids, requests, settled } = sequin;

describe("order and parallel requests", () => {
  test("one message of a row is out at a time, rows go in parallel up to the number of workers", async () => {
    const open: (() => void)[] = [];
    sequin.receiver.answer = (_, response) => void open.push(() => response.end());
    await start({}, { workers: 3 });
    await insert(1, 2, 3, 4);
    await sql("update posts set title = 'b' where id = 1");
    await until(() => open.length === 3);
    expect(ids().sort()).toEqual([1, 2, 3]);
    sequin.receiver.answer = ok;
    for (const answer of open) answer();
    await settled(5);
    const ofFirst = sequin.receiver.messages().filter(({ record }) => record.id === 1);
    expect(ofFirst.map(({ action }) => action)).toEqual(["insert", "update"]);
  });

  test("message_grouping false and a listed table without group columns let a row's messages go together", async () => {
    for (const sink of [{ message_grouping: false }, { tables: [{ name: "posts" }] }]) {
      const open: (() => void)[] = [];
      sequin.receiver.answer = (_, response) => void open.push(() => response.end());
      const one = await start({ ...sink, name: `s${Object.keys(sink)[0]}` });
      await sql("begin; insert into posts values (1, 'a'); update posts set title = 'b'; commit");
      await until(() => open.length === 2);
      for (const answer of open) answer();
      await one.close();
      await sql("truncate posts");
    }
  });

  test("group columns put different rows into one group", async () => {
    const open: (() => void)[] = [];
    sequin.receiver.answer = (_, response) => void open.push(() => response.end());
    await start({ tables: [{ name: "posts", group_column_names: ["title"] }] });
    await insert(1, 2);
    await sql("insert into posts values (3, 'other')");
    await until(() => open.length === 2);
    expect(ids().sort()).toEqual([1, 3]);
  });
});

describe("batches", () => {
  test("the default body is a data envelope, also around one message", async () => {
    await start({ destination: { batch: true } });
    await insert(1);
    await requests(1);
    expect(Object.keys(JSON.parse(sequin.receiver.requests[0]?.body ?? ""))).toEqual(["data"]);
    expect(ids()).toEqual([1]);
  });

  test("up to batch_size messages go in one request, never two of one row", async () => {
    await start({ destination: { batch: true }, batch_size: 3 });
    await sql(
      "begin; insert into posts values (1, 'a'), (2, 'a'), (3, 'a'), (4, 'a'); update posts set title = 'b' where id = 1; commit",
    );
    await settled(5);
    expect(Math.max(...sequin.receiver.requests.map(({ messages }) => messages.length))).toBe(3);
    for (const { messages } of sequin.receiver.requests) {
      expect(new Set(messages.map(({ record }) => record.id)).size).toBe(messages.length);
    }
    expect(ids().sort()).toEqual([1, 1, 2, 3, 4]);
  });

  test("a batch that is not full waits for more messages, and is closed when it is full", async () => {
    await start({ destination: { batch: true }, batch_size: 3 }, { pace: { batchTimeoutMs: 3_600_000 } });
    await insert(1, 2);
    await until(() => sequin.stack.sinks()[0]?.waiting === 2);
    expect(sequin.receiver.requests).toHaveLength(0);
    await insert(3);
    await requests(1);
    expect(ids().sort()).toEqual([1, 2, 3]);
  });

  test("a batch that is not full is closed a moment after its first message", async () => {
    await start({ destination: { batch: true }, batch_size: 1000 }, { pace: { batchTimeoutMs: 5 } });
    await insert(1, 2);
    await requests(1);
    expect(ids().sort()).toEqual([1, 2]);
  });

  test("2,000 rows of one transaction, and of a backfill, arrive in batches of 1,000, as many in parallel as there are workers", async () => {
    const received = (count: number) =>
      until(() => sequin.receiver.messages().length >= count, {
        what: `${count} messages`,
        progress: () => sequin.receiver.messages().length,
      });
    let open = 0;
    let most = 0;
    sequin.receiver.answer = (_, response) => {
      most = Math.max(most, ++open);
      response.on("finish", () => open--);
      ok(_, response);
    };
    await start({ destination: { batch: true }, batch_size: 1000 }, { workers: 2 });
    await sql("insert into posts select n, 'a' from generate_series(1, 2000) n");
    await received(2_000);
    await sequin.stack.backfill("sink", "posts");
    await received(4_000);
    // A busy machine may close a batch before it is full, because its time is up.
    expect(Math.max(...sequin.receiver.requests.map(({ messages }) => messages.length))).toBe(1_000);
    expect(sequin.receiver.requests.length).toBeLessThan(20);
    expect(sequin.receiver.messages().map(({ action }) => action)).toEqual([
      ...Array(2000).fill("insert"),
      ...Array(2000).fill("read"),
    ]);
    expect(new Set(ids()).size).toBe(2000);
    expect(most).toBeLessThanOrEqual(2);
  }, 240_000);

  test("a failing answer fails every message of the request", async () => {
    sequin.receiver.answer = (_, response) => {
      sequin.receiver.answer = ok;
      response.writeHead(422).end();
    };
    await start({ destination: { batch: true }, batch_size: 10 });
    await insert(1, 2, 3);
    await settled(3);
    expect(await sequin.stack.deliveries()).toMatchObject([
      { deliverCount: 2 },
      { deliverCount: 2 },
      { deliverCount: 2 },
    ]);
  });

  test("a content-encoding: gzip header of the endpoint compresses the body", async () => {
    await start({}, { endpoint: { headers: { "Content-Encoding": "gzip" } } });
    await insert(1);
    await requests(1);
    expect(ids()).toEqual([1]);
  });
});

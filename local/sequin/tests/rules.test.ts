import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { realPostgres } from "../../../tests/real-postgres.ts";
import { until } from "../../../tests/until.ts";
import { type Database, openDatabase } from "./database.ts";
import { ok, type Receiver, startReceiver, status } from "./receiver.ts";
import { type SinkYaml, startStack } from "./stack.ts";

type Stack = Awaited<ReturnType<typeof startStack>>;

let database: Database;
let receiver: Receiver;
let stack: Stack;
beforeAll(async () => {
  database = await openDatabase();
});
beforeEach(async () => {
  receiver = await startReceiver();
  await database.empty();
  await database.sql(
    "create table posts (id int primary key, title text); create table users (id int primary key)",
  );
});
afterEach(async () => {
  await stack.close();
  await receiver.close();
});
afterAll(() => database.close());

async function start(sink: SinkYaml = {}, options: Partial<Parameters<typeof startStack>[0]> = {}) {
  stack = await startStack({ databaseUrl: database.url, url: receiver.url, sinks: [sink], ...options });
  return stack;
}
const insert = (...ids: number[]) => database.sql("insert into posts select unnest($1::int[]), 'a'", [ids]);
const ids = () => receiver.messages().map(({ record }) => record.id);
const requests = (count: number) =>
  until(() => receiver.requests.length >= count, {
    what: `${count} requests`,
  });
/** Every one of this many messages is delivered or discarded, and that is stored. */
const settled = (count: number) =>
  until(
    async () => {
      const list = await stack.deliveries(1000);
      return list.length === count && list.every((one) => one.status !== "pending");
    },
    { what: `${count} finished messages`, progress: () => receiver.requests.length },
  );

describe("failures", () => {
  test("a message is delivered again until it is acknowledged, always with the same key, and later each time", async () => {
    let answers = 0;
    receiver.answer = (received, response) => (++answers < 5 ? status(400) : ok)(received, response);
    await start();
    await insert(1);
    await requests(5);
    await settled(1);
    expect(receiver.requests).toHaveLength(5);
    expect(new Set(receiver.messages().map(({ metadata }) => metadata.idempotency_key)).size).toBe(1);
    const waits = receiver.requests
      .slice(1)
      .map(({ at }, before) => at - (receiver.requests[before]?.at ?? 0));
    expect(waits.map((wait, n) => wait >= 20 * 2 ** n * 0.85 - 2)).toEqual([true, true, true, true]);
    expect(await stack.deliveries()).toMatchObject([
      { status: "delivered", deliverCount: 5, httpStatus: 200, nextTryAt: null },
    ]);
  });

  test("the console sees the last answer and the next try, and the terminal one line about each delivery", async () => {
    receiver.answer = (_, response) => void response.writeHead(422).end("no title");
    await start({}, { pace: { backoffBaseMs: 60_000 } });
    const before = Date.now();
    await insert(12);
    const [failed] = await until(async () => {
      const list = await stack.deliveries();
      return list[0]?.deliverCount === 1 ? list : undefined;
    });
    expect(failed).toMatchObject({
      sink: "sink",
      action: "insert",
      table: "public.posts",
      status: "pending",
      httpStatus: 422,
      answer: "no title",
    });
    const line = /^sink: insert public\.posts 12 → 422 in \d+ ms, try 2 after (\d\d\.\d) s$/;
    const [, said = ""] = line.exec(stack.lines.at(-1) ?? "") ?? expect.fail(`It said ${stack.lines.at(-1)}`);
    // A minute, 15 % more or less, from its failure on, which was between the insert and now.
    expect(Math.abs(Number(said) - 60)).toBeLessThanOrEqual(9);
    const failedAt = (failed?.nextTryAt?.getTime() ?? 0) - Number(said) * 1_000;
    expect(failedAt).toBeGreaterThanOrEqual(before - 50);
    expect(failedAt).toBeLessThanOrEqual(Date.now() + 50);
    receiver.answer = ok;
    expect(stack.retryNow()).toBe(1);
    await settled(1);
    expect(stack.lines.at(-1)).toMatch(/^sink: insert public\.posts 12 → 200 in \d+ ms$/);
  });

  test("a failing row does not hold up other rows", async () => {
    receiver.answer = (received, response) =>
      (received.messages[0]?.record.id === 1 ? status(500) : ok)(received, response);
    await start({}, { pace: { backoffBaseMs: 60_000 } });
    await insert(1, 2, 3);
    await until(() => [2, 3].every((id) => ids().includes(id)));
    await until(
      async () => (await stack.deliveries()).filter((one) => one.status === "delivered").length === 2,
    );
  });

  test("a failed message is overtaken by the newer one of its row and delivered after it", async () => {
    let failed = false;
    receiver.answer = (received, response) => {
      const fail = !failed;
      failed = true;
      (fail ? status(400) : ok)(received, response);
    };
    await start({}, { pace: { backoffBaseMs: 300 } });
    await database.sql("begin; insert into posts values (1, 'old'); update posts set title = 'new'; commit");
    await requests(3);
    expect(receiver.messages().map(({ action }) => action)).toEqual(["insert", "update", "insert"]);
  });

  test("max_retry_count is the number of deliveries in total; then the message is discarded and still seen", async () => {
    receiver.answer = status(400);
    await start({ max_retry_count: 3 });
    await insert(1);
    await settled(1);
    expect(receiver.requests).toHaveLength(3);
    expect(await stack.deliveries()).toMatchObject([
      { status: "discarded", deliverCount: 3, httpStatus: 400 },
    ]);
    expect(stack.lines.at(-1)).toMatch(/discarded after 3 tries$/);
  });

  test("a message over 5,000,000 bytes is dropped as by Sequin, but not silently", async () => {
    await start();
    await database.sql("insert into posts values (1, repeat('x', 5000001)), (2, 'small')");
    await settled(2);
    expect(ids()).toEqual([2]);
    expect(stack.lines.join("\n")).toMatch(/insert public\.posts discarded, larger than 5000000 bytes/);
  });
});

describe("order and parallel requests", () => {
  test("one message of a row is out at a time, rows go in parallel up to the number of workers", async () => {
    const open: (() => void)[] = [];
    receiver.answer = (_, response) => void open.push(() => response.end());
    await start({}, { workers: 3 });
    await insert(1, 2, 3, 4);
    await database.sql("update posts set title = 'b' where id = 1");
    await until(() => open.length === 3);
    expect(ids().sort()).toEqual([1, 2, 3]);
    receiver.answer = ok;
    for (const answer of open) answer();
    await settled(5);
    const ofFirst = receiver.messages().filter(({ record }) => record.id === 1);
    expect(ofFirst.map(({ action }) => action)).toEqual(["insert", "update"]);
  });

  test("message_grouping false and a listed table without group columns let a row's messages go together", async () => {
    for (const sink of [{ message_grouping: false }, { tables: [{ name: "posts" }] }]) {
      const open: (() => void)[] = [];
      receiver.answer = (_, response) => void open.push(() => response.end());
      const one = await start({ ...sink, name: `s${Object.keys(sink)[0]}` });
      await database.sql("begin; insert into posts values (1, 'a'); update posts set title = 'b'; commit");
      await until(() => open.length === 2);
      for (const answer of open) answer();
      await one.close();
      await database.sql("truncate posts");
    }
  });

  test("group columns put different rows into one group", async () => {
    const open: (() => void)[] = [];
    receiver.answer = (_, response) => void open.push(() => response.end());
    await start({ tables: [{ name: "posts", group_column_names: ["title"] }] });
    await insert(1, 2);
    await database.sql("insert into posts values (3, 'other')");
    await until(() => open.length === 2);
    expect(ids().sort()).toEqual([1, 3]);
  });
});

describe("batches", () => {
  test("the default body is a data envelope, also around one message", async () => {
    await start({ destination: { batch: true } });
    await insert(1);
    await requests(1);
    expect(Object.keys(JSON.parse(receiver.requests[0]?.body ?? ""))).toEqual(["data"]);
    expect(ids()).toEqual([1]);
  });

  test("up to batch_size messages go in one request, never two of one row", async () => {
    await start({ destination: { batch: true }, batch_size: 3 });
    await database.sql(
      "begin; insert into posts values (1, 'a'), (2, 'a'), (3, 'a'), (4, 'a'); update posts set title = 'b' where id = 1; commit",
    );
    await settled(5);
    expect(Math.max(...receiver.requests.map(({ messages }) => messages.length))).toBe(3);
    for (const { messages } of receiver.requests) {
      expect(new Set(messages.map(({ record }) => record.id)).size).toBe(messages.length);
    }
    expect(ids().sort()).toEqual([1, 1, 2, 3, 4]);
  });

  test("a batch that is not full waits for more messages, and is closed when it is full", async () => {
    await start({ destination: { batch: true }, batch_size: 3 }, { pace: { batchTimeoutMs: 3_600_000 } });
    await insert(1, 2);
    await until(() => stack.sinks()[0]?.waiting === 2);
    expect(receiver.requests).toHaveLength(0);
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

  test("2,000 rows of one transaction, and of a backfill, come in batches of 1,000, as many at once as workers", async () => {
    const bulk = (count: number) =>
      until(() => receiver.requests.length >= count, { what: `${count} batches` });
    let open = 0;
    let most = 0;
    receiver.answer = (_, response) => {
      most = Math.max(most, ++open);
      response.on("finish", () => open--);
      ok(_, response);
    };
    await start({ destination: { batch: true }, batch_size: 1000 }, { workers: 2 });
    await database.sql("insert into posts select n, 'a' from generate_series(1, 2000) n");
    await bulk(2);
    await stack.backfill("sink", "posts");
    await bulk(4);
    expect(receiver.requests.map(({ messages }) => messages.length)).toEqual(Array(4).fill(1000));
    expect(receiver.messages().map(({ action }) => action)).toEqual([
      ...Array(2000).fill("insert"),
      ...Array(2000).fill("read"),
    ]);
    expect(new Set(ids()).size).toBe(2000);
    expect(most).toBeLessThanOrEqual(2);
  }, 240_000);

  test("a failing answer fails every message of the request", async () => {
    receiver.answer = (_, response) => {
      receiver.answer = ok;
      response.writeHead(422).end();
    };
    await start({ destination: { batch: true }, batch_size: 10 });
    await insert(1, 2, 3);
    await settled(3);
    expect(await stack.deliveries()).toMatchObject([
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

describe("states", () => {
  test("a paused sink collects and sends when it is active again; a disabled one loses what happens", async () => {
    const paused = await start({ status: "paused" });
    await insert(1);
    await until(() => paused.sinks()[0]?.waiting === 1);
    await paused.close();
    await (await start({ status: "disabled" })).close();
    await insert(2);
    await start();
    await insert(3);
    await settled(2);
    expect(ids().sort()).toEqual([1, 3]);
  });

  test("what is not acknowledged survives a stop, with its count, and is tried at once after the start", async () => {
    receiver.answer = status(400);
    const first = await start({}, { pace: { backoffBaseMs: 60_000 } });
    await insert(1);
    await until(async () => (await first.deliveries())[0]?.deliverCount === 1);
    await first.close();
    await insert(2);
    receiver.answer = ok;
    await start({}, { pace: { backoffBaseMs: 60_000 } });
    await settled(2);
    expect(stack.lines).toContain("1 waiting messages, tried again now");
    expect(await stack.deliveries()).toMatchObject([{ deliverCount: 1 }, { deliverCount: 2 }]);
    expect(ids().sort()).toEqual([1, 1, 2]);
  });

  test("a sink keeps its id over restarts, and one that leaves the file is forgotten with its messages", async () => {
    const first = await start();
    await insert(1);
    await settled(1);
    await first.close();
    const second = await start();
    await insert(2);
    await settled(2);
    expect(new Set(receiver.messages().map(({ metadata }) => metadata.consumer.id)).size).toBe(1);
    await second.close();
    await start({ name: "renamed" });
    expect(stack.lines).toContain("sink is no longer in sequin.yaml: forgotten");
    expect(await stack.deliveries()).toEqual([]);
  });

  test("a finished message can be delivered again, with the same key", async () => {
    await start();
    await insert(1);
    await settled(1);
    const [delivery] = await stack.deliveries();
    expect(JSON.parse((await stack.message(delivery?.id ?? 0)) ?? "")).toMatchObject({
      action: "insert",
      record: { id: 1 },
    });
    expect(await stack.redeliver(delivery?.id ?? 0)).toBe(true);
    await requests(2);
    expect(new Set(receiver.messages().map(({ metadata }) => metadata.idempotency_key)).size).toBe(1);
    expect(await stack.redeliver(999_999)).toBe(false);
    expect(await stack.message(999_999)).toBeNull();
  });

  test("finished deliveries beyond the newest 200 and their changes are forgotten", async () => {
    await start();
    await insert(...Array.from({ length: 230 }, (_, n) => n));
    await until(async () => (await database.sql("select from sequin_local.change")).length === 200, {
      progress: () => receiver.requests.length,
    });
    expect(await database.sql("select from sequin_local.delivery")).toHaveLength(200);
    expect(receiver.requests).toHaveLength(230);
  });
});

describe("the database connection", () => {
  test("when it breaks, nothing is lost and work goes on by itself", async () => {
    await start();
    await insert(1);
    await settled(1);
    await database.restart();
    await until(() => insert(2).catch(() => undefined), { what: "an insert" });
    await requests(2);
    await settled(2);
    await until(() => stack.lines.includes("connected to the database again"));
    await insert(3);
    await settled(3);
    expect(ids().sort()).toEqual([1, 2, 3]);
  }, 240_000);

  test.skipIf(!realPostgres)(
    "a second stand-in on one database is refused (needs TEST_DATABASE_URL)",
    async () => {
      await start();
      const second = startStack({ databaseUrl: database.url, url: receiver.url, sinks: [{}] });
      await expect(second).rejects.toThrow(/another local Sequin works on this database/);
    },
  );
});

describe("backfills", () => {
  test("a sink that is first created with initial_backfill gets every row as a read, whatever its actions", async () => {
    await insert(...Array.from({ length: 450 }, (_, n) => n));
    const first = await start({
      actions: ["delete"],
      initial_backfill: true,
      source: { include_tables: ["public.posts"] },
    });
    await requests(450);
    await until(() => first.sinks()[0]?.waiting === 0);
    expect(new Set(ids()).size).toBe(450);
    const [read] = receiver.messages();
    expect(read).toMatchObject({
      action: "read",
      changes: null,
      metadata: { commit_lsn: null, commit_idx: null },
    });
    const [backfill, key] = Buffer.from(read?.metadata.idempotency_key ?? "", "base64")
      .toString()
      .split(":");
    expect(backfill).toMatch(/^[0-9a-f-]{36}$/);
    expect(key).toBe(String(read?.record.id));
    await first.close();
    await start({
      actions: ["delete"],
      initial_backfill: true,
      source: { include_tables: ["public.posts"] },
    });
    await database.sql("delete from posts where id = 7");
    await requests(451);
    expect(receiver.messages().at(-1)?.action).toBe("delete");
  });

  test("the initial backfill of a table that appears later reads what it holds by then", async () => {
    await start({ initial_backfill: true, source: { include_tables: ["public.late"] } });
    await database.sql("create table late as select 5 as id; alter table late add primary key (id)");
    await requests(1);
    expect(receiver.messages()[0]).toMatchObject({ action: "read", record: { id: 5 } });
  });

  test("a backfill by call has new keys each time; tables without a key, or with a composite one, work", async () => {
    await database.sql(`create table pairs (a text, b timestamptz, primary key (b, a)); create table bare (t text);
      insert into pairs select 'x', timestamptz '2024-01-01 00:00:00.5+00' + n * interval '1 s' from generate_series(1, 250) n;
      insert into bare select 'y' from generate_series(1, 3)`);
    await start();
    await stack.backfill("sink", "public.pairs");
    await stack.backfill("sink", "bare");
    await requests(253);
    await stack.backfill("sink", "pairs");
    await requests(503);
    const keys = receiver
      .messages()
      .filter(({ metadata }) => metadata.table_name === "pairs")
      .map(({ metadata }) => metadata.idempotency_key);
    expect(new Set(keys).size).toBe(500);
    await expect(stack.backfill("nobody", "posts")).rejects.toThrow('no sink is called "nobody"');
  });

  test("a partial backfill begins at its start position", async () => {
    await insert(1, 2, 3, 4);
    await start({
      initial_backfill: [{ table: "public.posts", type: "partial", sort_column: "id", start_position: 3 }],
    });
    await requests(2);
    await settled(2);
    expect(ids().sort()).toEqual([3, 4]);
  });
});

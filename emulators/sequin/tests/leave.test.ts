import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { realPostgres } from "../../../tests/real-postgres.ts";
import { freePorts } from "../../../tests/stack/free-ports.ts";
import { until } from "../../../tests/until.ts";
import { uninstall } from "../uninstall.ts";
import { catalogOf } from "./catalog.ts";
import { type Database, openDatabase } from "./database.ts";
import { type Receiver, startReceiver, status } from "./receiver.ts";
import { startStack } from "./stack.ts";

let database: Database;
let receiver: Receiver;
let stack: Awaited<ReturnType<typeof startStack>> | undefined;
let child: ChildProcess | undefined;
beforeAll(async () => {
  database = await openDatabase();
});
beforeEach(async () => {
  receiver = await startReceiver();
  await database.empty();
  await database.sql(SOMEBODYS);
});
afterEach(async () => {
  child?.kill("SIGKILL");
  await stack?.close();
  stack = undefined;
  await receiver.close();
});
afterAll(() => database.close());

/** Someone else's tables, triggers and publication, with one trigger disabled and one enabled always. */
const SOMEBODYS = `
drop schema if exists theirs cascade; drop publication if exists their_pub;
create table posts (id int primary key, title text, updated_at timestamptz);
create table users (id int primary key, email text unique);
alter table users replica identity full;
create schema theirs;
create table theirs.events (id int, at date, primary key (id, at)) partition by range (at);
create table theirs.events_1 partition of theirs.events for values from ('2024-01-01') to ('2025-01-01');
create function theirs.touch() returns trigger language plpgsql as $$ begin new.updated_at := now(); return new; end $$;
create trigger touch before update on posts for each row execute function theirs.touch();
create trigger off before update on posts for each row execute function theirs.touch();
create trigger always before update on posts for each row execute function theirs.touch();
alter table posts disable trigger off;
alter table posts enable always trigger always;
create publication their_pub for table posts`;

async function start(detachOnClose = true): Promise<void> {
  stack = await startStack({ databaseUrl: database.url, url: receiver.url, sinks: [{}], detachOnClose });
}
const delivered = async () => (await stack?.deliveries())?.filter((one) => one.status === "delivered").length;
const triggers = async () =>
  (await database.sql("select from pg_trigger where tgname ~ 'sequin_local' and tgparentid = 0")).length;

/** `npm run local -- sequin` next to this database. */
async function startLocal(): Promise<ChildProcess> {
  const script = new URL("../../stack/main.ts", import.meta.url).pathname;
  child = spawn(process.execPath, ["--import", "tsx", script, "sequin"], {
    env: {
      ...process.env,
      DATABASE_URL: database.url,
      APP_URL: receiver.url,
      LOCAL_DATA_DIR: await mkdtemp(join(tmpdir(), "sequin-")),
      LOCAL_PORT: String((await freePorts(1))[0]),
    },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const lines = createInterface({ input: child.stdout ?? expect.fail("the child has no output") });
  for await (const line of lines) if (line.startsWith("ready")) return child;
  throw new Error("it did not start");
}

test("in someone else's database it creates only its schema, and a stop drops its triggers", async () => {
  const before = await catalogOf(database);
  await start();
  expect(await triggers()).toBe(6);
  await database.sql("insert into posts values (1); update users set email = 'x'");
  await until(async () => (await delivered()) === 1, { what: "the delivery" });
  receiver.answer = status(400);
  await database.sql("insert into posts values (2)");
  await until(() => receiver.requests.length > 1, { what: "the failure" });
  await stack?.close();
  expect(await triggers()).toBe(0);
  const kept = await database.sql("select new_row from sequin_local.change");
  expect(kept).toEqual([{ new_row: "(2,,)" }]);
  await database.sql("insert into posts values (3)");
  expect(await database.sql("select from sequin_local.change")).toHaveLength(1);

  const others = (rows: string[]) =>
    rows.filter((row) => !row.includes("sequin_local") && !row.startsWith('{"count"'));
  expect((await catalogOf(database)).map(others)).toEqual(before.map(others));
});

test("what was not acknowledged before a stop is delivered after the next start", async () => {
  receiver.answer = status(400);
  await start();
  await database.sql("insert into posts values (1)");
  await until(() => receiver.requests.length > 0, { what: "the failure" });
  await stack?.close();
  receiver.answer = (_, response) => void response.end();
  await start();
  await until(async () => (await delivered()) === 1, { what: "the delivery" });
});

test("uninstall leaves the catalog as it was, after a stop and in the middle of a day's work", async () => {
  const before = await catalogOf(database);
  await start();
  await database.sql("insert into posts values (1)");
  await until(async () => (await delivered()) === 1, { what: "the delivery" });
  await stack?.close();
  expect(await uninstall({ databaseUrl: database.url })).toBe(true);
  expect(await catalogOf(database)).toEqual(before);
  expect(await uninstall({ databaseUrl: database.url })).toBe(false);
});

test("Ctrl-C and SIGTERM of npm run local take the triggers off; what kill -9 leaves, uninstall removes", async () => {
  const before = await catalogOf(database);
  for (const [signal, left] of [
    ["SIGINT", 0],
    ["SIGTERM", 0],
    ["SIGKILL", 4],
  ] as const) {
    const running = await startLocal();
    expect(await triggers()).toBe(4);
    running.kill(signal);
    await once(running, "exit");
    expect(await triggers()).toBe(left);
  }
  await uninstall({ databaseUrl: database.url });
  expect(await catalogOf(database)).toEqual(before);
}, 240_000);

test("triggers that a killed emulator left are taken off at the stop of the next one", async () => {
  await start(false);
  await stack?.close();
  expect(await triggers()).toBe(6);
  await start();
  await stack?.close();
  expect(await triggers()).toBe(0);
});

test("while no emulator takes them, triggers that are left stop storing changes at a limit, and the next start says so", async () => {
  await start(false);
  await database.sql("insert into posts values (1)");
  await until(async () => (await delivered()) === 1, { what: "the delivery" });
  const full = "update sequin_local.state set taken = taken - 50000";
  await database.sql(full);
  await database.sql("insert into posts values (2)");
  await until(async () => (await delivered()) === 2, { what: "the delivery while an emulator works" });

  await stack?.close();
  // The Postgres emulator has one session for all clients: the locks of killed processes stay.
  if (!realPostgres) await database.sql("select pg_advisory_unlock_all()");
  await database.sql(full);
  await database.sql("insert into posts values (3)");
  expect(await database.sql("select from sequin_local.change where not routed")).toEqual([]);

  await start();
  expect(stack?.lines).toContain(
    "the outbox was full while nothing took changes: later ones are lost, so backfill their tables",
  );
  await database.sql("insert into posts values (4)");
  await until(() => receiver.messages().some(({ record }) => record.id === 4), { what: "the next change" });
  expect(receiver.messages().map(({ record }) => record.id)).toEqual([1, 2, 4]);
});

test.skipIf(!realPostgres)(
  "uninstall is refused while an emulator works (needs TEST_DATABASE_URL)",
  async () => {
    await start();
    await expect(uninstall({ databaseUrl: database.url })).rejects.toThrow(/another local Sequin works/);
  },
);

test.skipIf(!realPostgres)(
  "a stop does not wait for another session's lock, and says which table keeps its triggers (needs TEST_DATABASE_URL)",
  async () => {
    await start();
    const holder = await database.pool.connect();
    await holder.query("begin; insert into posts values (1)");
    await stack?.close();
    await holder.query("commit");
    holder.release();
    expect(await triggers()).toBe(2);
    expect(stack?.lines.join("\n")).toMatch(/public\.posts keep their triggers: the next stop/);
  },
);

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { afterAll, beforeAll, expect, test } from "vitest";
import { until } from "../../../tests/helpers/until.ts";
import { type Database, openDatabase } from "./database.ts";
import { type Receiver, startReceiver, status } from "./receiver.ts";
import { writeConfig } from "./stack.ts";

const ROUNDS = 5;
const CHANGES = ROUNDS * 40;

let database: Database;
let receiver: Receiver;
let child: ChildProcess | undefined;
beforeAll(async () => {
  [database, receiver] = await Promise.all([openDatabase(), startReceiver()]);
  await database.empty();
  await database.sql("create table posts (id int primary key, title text)");
});
afterAll(async () => {
  child?.kill("SIGKILL");
  await receiver.close();
  await database.close();
});

async function startChild(configPath: string): Promise<ChildProcess> {
  const script = new URL("child.ts", import.meta.url).pathname;
  child = spawn(process.execPath, ["--import", "tsx", script, database.url, configPath], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  if (!child.stdout) throw new Error("the child has no output");
  await once(child.stdout, "data");
  return child;
}

async function kill(running: ChildProcess): Promise<void> {
  running.kill("SIGKILL");
  await once(running, "exit");
}

test(`kill -9 in the middle of ${CHANGES} changes, ${ROUNDS} times: every change arrives, with one key, and each row ends new`, async () => {
  const acknowledged = new Set<string>();
  let answers = 0;
  receiver.answer = (received, response) => {
    // Every seventh request fails, so that some messages wait for their next attempt when the process dies.
    if (++answers % 7 === 0) return status(400)(received, response);
    response.on("finish", () => {
      for (const { metadata } of received.messages) acknowledged.add(metadata.idempotency_key);
    });
    response.end();
  };
  const configPath = await writeConfig(receiver.url, [{}]);
  let running = await startChild(configPath);
  for (let round = 0; round < ROUNDS; round++) {
    const before = receiver.requests.length;
    for (let row = 0; row < 20; row++) {
      const id = round * 20 + row;
      await database.sql("insert into posts values ($1, 'old')", [id]);
      await database.sql("update posts set title = 'new' where id = $1", [id]);
    }
    await until(() => receiver.requests.length > before + round * 4, {
      what: "some deliveries of this round",
    });
    await kill(running);
    if (round === 1) await database.sql("insert into posts values (1000, 'while it was down')");
    running = await startChild(configPath);
  }
  await until(() => acknowledged.size === CHANGES + 1, {
    what: "acknowledgement of every change",
    progress: () => receiver.requests.length,
  });
  await until(
    async () =>
      (await database.sql("select from sequin_local.delivery where status = 'pending'")).length === 0,
  );

  const keys = new Map<string, Set<string>>();
  for (const { record, action, metadata } of receiver.messages()) {
    const change = `${action} ${record.id}`;
    keys.set(change, (keys.get(change) ?? new Set()).add(metadata.idempotency_key));
  }
  expect(keys.size).toBe(CHANGES + 1);
  expect([...keys.values()].every((of) => of.size === 1)).toBe(true);
  expect(await database.sql("select from sequin_local.change where not routed")).toEqual([]);
});

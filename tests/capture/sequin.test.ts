import { randomUUID } from "node:crypto";
import { Pool } from "pg";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { startSequin } from "../../emulators/sequin/start.ts";
import { startMigratedPostgres } from "../helpers/postgres.ts";
import { type Received, startReceiver } from "../helpers/sequin-receiver.ts";
import { until } from "../helpers/until.ts";

// With these set, the suite runs against another Sequin with sequin.yaml: SEQUIN_DATABASE_URL is its database, with
// this version's migrations, and its APP_URL is port SEQUIN_RECEIVER_PORT of this machine.
const {
  SEQUIN_DATABASE_URL,
  SEQUIN_RECEIVER_PORT = "0",
  SEQUIN_WEBHOOK_SECRET = "a secret of the tests",
} = process.env;

let receiver: Awaited<ReturnType<typeof startReceiver>>;
let pool: Pool;
const closing: (() => Promise<unknown>)[] = [];

async function startLocal(appUrl: string): Promise<string> {
  const postgres = await startMigratedPostgres();
  const sequin = await startSequin({
    databaseUrl: postgres.url,
    configPath: new URL("../../sequin.yaml", import.meta.url).pathname,
    env: { DATABASE_URL: postgres.url, APP_URL: appUrl, SEQUIN_WEBHOOK_SECRET },
    log: () => {},
    pace: { pollMs: 100 },
  });
  closing.unshift(
    () => sequin.close(),
    () => postgres.close(),
  );
  return postgres.url;
}

beforeAll(async () => {
  receiver = await startReceiver(Number(SEQUIN_RECEIVER_PORT));
  const url = SEQUIN_DATABASE_URL ?? (await startLocal(receiver.url));
  pool = new Pool({ connectionString: url, max: 1 });
  pool.on("error", () => {});
  closing.unshift(() => pool.end());
});
afterAll(async () => {
  for (const close of closing) await close();
  await receiver.close();
});
beforeEach(() => {
  receiver.state.refuse = () => false;
});

const arrived = (what: string, matches: (message: Received) => boolean) =>
  until(() => receiver.state.received.find(matches), { what });

async function insertPost(title: string): Promise<string> {
  const { rows } = await pool.query<{ id: string }>(
    "insert into posts (title, body, author) values ($1, 'body', 'Alice') returning id",
    [title],
  );
  return rows[0]?.id ?? "";
}

const ofPost = (id: string, action: string) => (one: Received) =>
  one.metadata.table_name === "posts" && String(one.record.id) === id && one.action === action;

it("delivers an insert and an update of a post in a batch, with the secret, to the route of sequin.yaml", async () => {
  const title = `A title ${randomUUID()}`;
  const id = await insertPost(title);
  const insert = await arrived("the insert", ofPost(id, "insert"));
  expect(insert).toMatchObject({
    path: "/api/create-embedding-for-post",
    authorization: `Bearer ${SEQUIN_WEBHOOK_SECRET}`,
    batch: true,
    record: { title, body: "body", author: "Alice" },
  });
  await pool.query("update posts set author = 'Bob' where id = $1", [id]);
  const update = await arrived("the update", ofPost(id, "update"));
  // Because of replica identity full: the whole row, and its old values.
  expect(update).toMatchObject({ record: { title, author: "Bob" }, changes: { author: "Alice" } });
  expect(update.metadata.idempotency_key).not.toBe(insert.metadata.idempotency_key);
  await pool.query("delete from posts where id = $1", [id]);
});

it("delivers only a user's deletion, with the whole row, and none of its inserts", async () => {
  const email = `${randomUUID()}@example.com`;
  const { rows } = await pool.query<{ id: string }>(
    "insert into users (first_name, last_name, email) values ('Ada', 'Lovelace', $1) returning id",
    [email],
  );
  const id = rows[0]?.id;
  await pool.query("delete from users where id = $1", [id]);
  const deletion = await arrived("the deletion", (one) => one.record.id === id);
  expect(deletion).toMatchObject({
    path: "/api/delete-user",
    action: "delete",
    batch: false,
    record: { email },
  });
});

it("delivers again what failed, with the same key, until it is acknowledged", async () => {
  const title = `Refused ${randomUUID()}`;
  receiver.state.refuse = ({ record }) => record.title === title;
  const id = await insertPost(title);
  const inserts = () => receiver.state.received.filter(ofPost(id, "insert"));
  // The retry within the delivery, and one after the backoff.
  await until(() => inserts().length >= 3, { what: "three deliveries" });
  receiver.state.refuse = () => false;
  const refused = inserts().length;
  await until(() => inserts().length > refused, { what: "the delivery that is taken" });
  expect(new Set(inserts().map(({ metadata }) => metadata.idempotency_key)).size).toBe(1);
  await pool.query("delete from posts where id = $1", [id]);
});

it("delivers the last of many edits of a row with the row's current text", async () => {
  const id = await insertPost("edited");
  for (let edit = 1; edit <= 10; edit++)
    await pool.query("update posts set title = $2 where id = $1", [id, `edit ${edit}`]);
  await arrived("the last edit", (one) => ofPost(id, "update")(one) && one.record.title === "edit 10");
  await pool.query("delete from posts where id = $1", [id]);
});

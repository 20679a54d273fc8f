import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { until } from "../../../tests/helpers/until.ts";
import { type Database, openDatabase } from "./database.ts";
import { type Message, message, type Receiver, startReceiver } from "./receiver.ts";
import { startStack } from "./stack.ts";

let database: Database;
let receiver: Receiver;
let stack: Awaited<ReturnType<typeof startStack>>;

const POST_COLUMNS = `(id bigint primary key, title text, body text, author text, views integer default 0,
  rating numeric, score float8, is_public boolean default true, tags text[], meta jsonb, blob bytea, day date, t time,
  status post_status default 'draft', created_at timestamptz, updated_at timestamp)`;
const USER_COLUMNS =
  "(id uuid primary key, first_name text, last_name text, email text, created_at timestamptz)";

beforeAll(async () => {
  [database, receiver] = await Promise.all([openDatabase(), startReceiver()]);
  await database.empty();
  await database.sql(`create type post_status as enum ('draft', 'published');
    create table posts ${POST_COLUMNS}; create table posts_full ${POST_COLUMNS};
    create table users ${USER_COLUMNS}; create table users_full ${USER_COLUMNS};
    alter table posts_full replica identity full; alter table users_full replica identity full`);
  stack = await startStack({ databaseUrl: database.url, url: receiver.url, sinks: [{}] });
});
afterAll(async () => {
  await stack?.close();
  await receiver?.close();
  await database?.close();
});

async function fixture(name: string): Promise<Message> {
  return message.parse(
    JSON.parse(
      await readFile(new URL(`../../../tests/fixtures/sequin/${name}.json`, import.meta.url), "utf8"),
    ),
  );
}

/** Runs the statements in one transaction each and returns the last message that arrives. */
async function lastMessageAfter(...statements: string[]): Promise<Message> {
  const before = receiver.requests.length;
  for (const statement of statements) await database.sql(statement);
  await until(() => receiver.requests.length === before + statements.length, { what: "the deliveries" });
  const [last] = receiver
    .messages()
    .sort((a, b) => (b.metadata.commit_lsn ?? 0) - (a.metadata.commit_lsn ?? 0));
  if (!last) throw new Error("no message came");
  return last;
}

/**
 * What a fixture and a local message have in common: everything except ids, positions, times and the database's
 * address.
 */
function comparable({ metadata, ...rest }: Message) {
  const { commit_lsn, commit_timestamp, idempotency_key, consumer, database, ...shared } = metadata;
  return {
    ...rest,
    metadata: { ...shared, consumer: { ...consumer, id: "" } },
    lsn: typeof commit_lsn,
    timestamp: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/.test(commit_timestamp),
    key: idempotency_key === Buffer.from(`${commit_lsn}:${metadata.commit_idx}`).toString("base64"),
    database: Object.keys(Object(database)).sort(),
  };
}

const FULL_POST = `(1, 'Hello', 'World', 'Alice', 0, 199.99, 1.5, true, '{a,b c}', '{"k": [1, 2, {"x": null}]}', '\\x010203',
  '2024-10-28', '12:34:56', 'draft', '2024-10-28 21:37:01.12747+00', '2024-10-28 21:37:01')`;
const JOHN =
  "('20f5cc55-b218-4aad-8fa7-ef7556575776', 'John', 'Doe', 'john@example.com', '2025-01-01 00:00:00+00')";
/** The fixture's big body, which the changes leave alone. */
async function bigBody(name: string): Promise<string> {
  return `'${(await fixture(name)).record.body}'`;
}

test("an insert has every column, no changes, and Sequin's encoding of each type", async () => {
  const got = await lastMessageAfter(`insert into posts values ${FULL_POST}`);
  expect(comparable(got)).toEqual(comparable(await fixture("01_posts_insert")));
});

test("an update under default replica identity has empty changes", async () => {
  const got = await lastMessageAfter("update posts set title = 'Hello 2' where id = 1");
  expect(comparable(got)).toEqual(comparable(await fixture("02_posts_update")));
});

test("a delete under default replica identity has every column, all but the key null", async () => {
  const got = await lastMessageAfter(
    "insert into posts (id, title) values (100, 'x')",
    "delete from posts where id = 100",
  );
  expect(comparable(got)).toEqual(comparable(await fixture("06_posts_delete")));
});

test("an update under full replica identity has the old values that differ and the whole large value", async () => {
  const body = await bigBody("08_posts_full_update");
  const { title } = (await fixture("08_posts_full_update")).record;
  const got = await lastMessageAfter(
    `insert into posts_full (id, title, body, tags) values (2, 'big', ${body}, ${tagsOf(await fixture("08_posts_full_update"))})`,
    `update posts_full set title = '${title}' where id = 2`,
  );
  expect(comparable(got)).toEqual(comparable(await fixture("08_posts_full_update")));
});

test("a delete under full replica identity has all old values", async () => {
  const expected = await fixture("10_posts_full_delete");
  const got = await lastMessageAfter(
    `insert into posts_full (id, title, body, tags)
     values (77, '${expected.record.title}', ${await bigBody("10_posts_full_delete")}, ${tagsOf(expected)})`,
    "delete from posts_full where id = 77",
  );
  expect(comparable(got)).toEqual(comparable(expected));
});

test("a user's delete under default replica identity has no e-mail", async () => {
  const got = await lastMessageAfter(`insert into users values ${JOHN}`, "delete from users");
  expect(comparable(got)).toEqual(comparable(await fixture("12_users_delete")));
});

test("a user's delete under full replica identity has everything", async () => {
  const got = await lastMessageAfter(`insert into users_full values ${JOHN}`, "delete from users_full");
  expect(comparable(got)).toEqual(comparable(await fixture("16_users_full_delete")));
});

function tagsOf({ record }: Message): string {
  return record.tags === null ? "null" : `array['${String(record.tags)}']`;
}

import { Client } from "pg";
import { expect, test } from "vitest";
import { short } from "./receiver.ts";
import { sequinForTests } from "./sequin-for-tests.ts";

const sequin = sequinForTests();
const { sql, start, messages } = sequin;

const UUID = "20f5cc55-b218-4aad-8fa7-ef7556575776";

/**
 * Tables like those of other frameworks' migrations: how each is created, its name in sequin.yaml, and one of its keys.
 */
const TABLES = {
  "Prisma: mixed case, text keys": [
    `create table public."Post" ("id" text primary key, "authorId" text)`,
    "public.Post",
    "clx1:ü",
  ],
  "Django: a separate schema, integer keys": [
    `create schema blog; create table blog.blog_post (id integer primary key, "authorId" text)`,
    "blog.blog_post",
    "7",
  ],
  "Supabase: uuid keys, row level security": [
    `create table public.notes (id uuid primary key, "authorId" text); alter table public.notes enable row level security`,
    "public.notes",
    UUID,
  ],
  "a quoted name with a dot, a space and a quote": [
    `create schema "My App"; create table "My App"."a.b ""c""" (id bigint primary key, "authorId" text)`,
    'My App.a.b "c"',
    "9007199254740993",
  ],
  "partitioned by its key": [
    `create table public.events (id integer primary key, "authorId" text) partition by range (id);
     create table public.events_1 partition of public.events for values from (0) to (100)`,
    "public.events",
    "7",
  ],
} as const;

/** A change by the user's own application, which is careful with its search_path. */
async function change(text: string, values: unknown[]): Promise<void> {
  const client = new Client({ connectionString: sequin.database.url });
  await client.connect();
  try {
    await client.query("set search_path = ''");
    await client.query(text, values);
  } finally {
    await client.end();
  }
}

test.each(Object.entries(TABLES))(
  "a table is read and its changes are captured, a delete by its key alone: %s",
  async (_, [ddl, reference, key]) => {
    const dot = reference.indexOf(".");
    const [schema, table] = [reference.slice(0, dot), reference.slice(dot + 1)];
    const quoted = [schema, table].map((name) => `"${name.replaceAll('"', '""')}"`).join(".");
    await sql(`drop schema if exists blog cascade; drop schema if exists "My App" cascade; ${ddl}`);
    await change(`insert into ${quoted} (id, "authorId") values ($1, 'before')`, [key]);
    await start({ source: { include_tables: [reference] }, initial_backfill: true });
    await messages(1);
    await change(`update ${quoted} set "authorId" = 'Ada' where id = $1`, [key]);
    await change(`delete from ${quoted} where id = $1`, [key]);
    const got = await messages(3);
    expect(new Set(got.map(({ metadata }) => metadata.table_schema))).toEqual(new Set([schema]));
    const row = (authorId: string | null) => ({
      table,
      pks: [key],
      record: { id: expect.anything(), authorId },
    });
    expect(got.map(short)).toEqual([
      { ...row("before"), action: "read", changes: null },
      { ...row("Ada"), action: "update", changes: {} },
      { ...row(null), action: "delete", changes: null },
    ]);
  },
);

test("a delete has the old values under full replica identity, of a partition as well", async () => {
  await sql(`${TABLES["partitioned by its key"][0]}; alter table public.events_1 replica identity full`);
  await start({ source: { include_tables: ["public.events"] } });
  await change(`insert into public.events (id, "authorId") values ($1, 'Ada')`, [7]);
  await change("delete from public.events", []);
  expect((await messages(2))[1]).toMatchObject({ action: "delete", record: { id: 7, authorId: "Ada" } });
});

import { describe, expect, it } from "vitest";
import { inspectionsForTests, POSTS, post } from "@/tests/helpers/migrate/problems.ts";
import { defineTrigger } from "../define.ts";
import { inspect } from "./inspect.ts";

const { database, problemsOf, problemOf } = inspectionsForTests();

describe("a declaration that fits", () => {
  it.each([
    ["bigint", "bigint", "bigint"],
    ["integer", "integer", "integer"],
    ["smallint", "smallint", "smallint"],
    ["uuid", "uuid", "uuid"],
    ["text", "text", "text"],
    ["varchar(30)", "text", "text"],
    ["handle", "text", "text"],
    ['text collate "C"', "text", 'text collate pg_catalog."C"'],
  ])("may have a key of type %s", async (type, keyType, keyColumn) => {
    await database.client.query(`create domain handle as text check (value <> '');
      create table posts (id ${type} primary key, title text, body text)`);
    expect(await inspect(database.client, post())).toEqual({
      oid: expect.any(Number),
      keyType,
      keyColumn,
      hasEmbeddings: false,
      hasWords: false,
      problems: [],
    });
  });

  it("may have names in mixed case, in another schema, with any character", async () => {
    const sql = `create schema "my.blog"; create table "my.blog"."Blog ""Post" ("postId" text primary key, "Title" text)`;
    const declaration = post({
      table: '"my.blog"."Blog ""Post"',
      key: "postId",
      text: ["Title"],
      where: `"Blog ""Post"."Title" <> ''`,
    });
    expect(await problemsOf(sql, declaration)).toEqual([]);
  });

  it("may use expressions that are stable as long as the row is", async () => {
    const sql = `${POSTS} create function shout(text) returns text language sql immutable as 'select upper($1)'`;
    const declaration = post({
      text: "shout(title) || to_char(created_at, 'YYYY') || coalesce(posts.body, '')",
      where: "published and created_at > '2020-01-01' and title <> 'now() or ''today'''",
    });
    expect(await problemsOf(sql, declaration)).toEqual([]);
  });

  it("may be of a partitioned table, with an index that begins with the key", async () => {
    const sql = `create table posts (id bigint not null, title text, body text, day date not null, primary key (id, day))
        partition by range (day);
      create table posts_2026 partition of posts for values from ('2026-01-01') to ('2027-01-01');`;
    expect(await problemsOf(sql, post({ where: "day > '2026-02-01'" }))).toEqual([]);
  });

  it("may have dropped columns and generated ones in its text", async () => {
    const sql = `create table posts (gone int, id int primary key, title text, body text generated always as (title || '!') stored);
      alter table posts drop column gone`;
    expect(await problemsOf(sql, post())).toEqual([]);
  });

  it("leaves nothing behind", async () => {
    await problemsOf(POSTS, post({ where: "published" }));
    const { rows } = await database.client.query(
      "select relname from pg_class where relname like 'aftercommit%'",
    );
    expect(rows).toEqual([]);
  });
});

describe("of the table it names", () => {
  it("one that does not exist, and those with a similar name", async () => {
    const sql = `create table "Posts" (id int primary key); create schema blog; create table blog.posts (id int)`;
    expect(await problemOf(sql, post())).toBe(
      "table: there is no table public.posts; did you mean blog.posts or public.Posts?",
    );
  });

  it.each([
    ["a view", "create view posts as select 1 as id, ''::text as title, ''::text as body"],
    ["a sequence", "create sequence posts"],
  ])("%s", async (what, sql) => {
    expect(await problemOf(sql, post())).toBe(
      `table: public.posts is ${what}, and only a table has changes that can be captured: name its table`,
    );
  });

  it("one that is not logged", async () => {
    const sql = "create unlogged table posts (id int primary key, title text, body text)";
    expect(await problemOf(sql, post())).toMatch(/^table: public\.posts is not logged.*set logged/);
  });

  it("a missing privilege, and row level security", async () => {
    await database.client.query(`drop role if exists reader; create role reader; ${POSTS}
      alter table posts enable row level security; set role reader`);
    try {
      const { problems } = await inspect(database.client, post());
      expect(problems.map(({ message }) => message)).toEqual([
        expect.stringMatching(
          /cannot be read by the current role: grant usage on its schema, and select on it$/,
        ),
        expect.stringMatching(/row level security, which hides rows .* alter role … bypassrls$/),
      ]);
    } finally {
      await database.client.query("reset role");
    }
  });

  it("no replica identity, in a partition too", async () => {
    const sql = "create table posts (id int not null unique, title text, body text)";
    expect(await problemOf(sql, post())).toBe(
      "table: has no replica identity, so Postgres refuses to update or delete its rows once it is published: alter table public.posts replica identity full",
    );
    const partitioned = `drop table posts; create table posts (id int not null, title text, body text) partition by list (id);
      create index on posts (id); create table "Posts 1" partition of posts for values in (1);`;
    expect(await problemOf(partitioned, post())).toContain(
      'alter table public."Posts 1" replica identity full',
    );
  });
});

describe("of the key it names", () => {
  it("one that does not exist, and the one that may be meant", async () => {
    expect(await problemOf(POSTS, post({ key: "ID" }))).toBe(
      "key: there is no column ID; did you mean id? (there are id, title, body, authorId, published, created_at)",
    );
  });

  it.each([
    ["of another type", "id numeric primary key", /id is of type numeric; a key is a smallint/],
    ["no unique index", "id int not null, other int primary key", /id has no unique index of its own/],
    [
      "a unique index with more columns",
      "id int, other int, primary key (id, other)",
      /id has no unique index/,
    ],
  ])("%s", async (_, columns, text) => {
    const sql = `create table posts (${columns}, title text, body text); alter table posts replica identity full`;
    expect(await problemOf(sql, post())).toMatch(text);
  });

  it("one that may be null, is generated, or only has a partial index", async () => {
    const sql = `create table posts (id int, n int generated always as (1) stored, title text, body text);
      create unique index on posts (id) where id > 0; alter table posts replica identity full`;
    expect(await problemsOf(sql, post())).toEqual([
      expect.stringMatching(/key: id may be null.*set not null$/),
      expect.stringMatching(/key: id has no unique index/),
    ]);
    expect(await problemsOf("", post({ key: "n" }))).toContainEqual(
      expect.stringMatching(/n is a generated column/),
    );
  });

  it("one of a partitioned table without an index", async () => {
    const sql = `create table posts (id int not null, day date not null, title text, body text, primary key (day, id))
      partition by range (day)`;
    expect(await problemOf(sql, post())).toBe(
      "key: no index of the partitioned table begins with id: create one, so that rows can be found by it",
    );
  });

  it("one that the log of a deleted row does not contain", async () => {
    const sql = "create table posts (n int primary key, id uuid not null unique, title text, body text)";
    expect(await problemOf(sql, post())).toBe(
      "key: the log of a deleted row has no id, since it is not in the replica identity: alter table public.posts replica identity full",
    );
    const updates = defineTrigger({
      row: "post",
      table: "posts",
      key: "id",
      actions: ["update"],
      task: "notify",
    });
    expect(await problemsOf("", updates)).toEqual([]);
  });
});

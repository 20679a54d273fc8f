import { describe, expect, it } from "vitest";
import { inspectionsForTests, type Options, POSTS, post } from "@/tests/helpers/migrate/problems.ts";
import { defineDeletion } from "../define.ts";

const { database, problemsOf, problemOf } = inspectionsForTests();

describe("of the options that a declaration names", () => {
  it("columns that do not exist", async () => {
    const declaration = post({ text: ["title", "author_id"], columns: ["nowhere"], filters: ["Created_at"] });
    expect(await problemsOf(POSTS, declaration)).toEqual([
      expect.stringContaining("text: there is no column author_id; did you mean authorId? (there are id,"),
      expect.stringContaining("columns: there is no column nowhere (there are id,"),
      expect.stringContaining("filters: there is no column Created_at; did you mean created_at?"),
    ]);
  });

  it("text search configurations that do not exist", async () => {
    const unknown = /^language: there is no text search configuration germn \(there are arabic, .*german,/;
    expect(await problemOf(POSTS, post({ language: "germn" }))).toMatch(unknown);
    const configurations = { de: "germn", en: "english", es: "pg_catalog.spanish" };
    expect(await problemOf("", post({ language: { column: "title", configurations } }))).toMatch(unknown);
    expect(
      await problemOf("", post({ language: { column: "lang", configurations: { en: "english" } } })),
    ).toMatch(/^language: there is no column lang/);
  });

  it.each<[string, Options, RegExp]>([
    ["that does not compile", { where: "authorId = '1'" }, /^where: does not compile: .*Perhaps you meant/],
    [
      "of two statements",
      { where: "true) from posts; drop table posts; select (true" },
      /^where: does not compile/,
    ],
    ["of another type", { text: "id + 1" }, /^text: must be text, and is bigint$/],
    ["that is no condition", { where: "title" }, /^where: must be boolean, and is text$/],
    ["that is volatile", { text: "title || random()" }, /^text: calls random\(\), which is volatile/],
    [
      "that calls what is volatile",
      { text: "label(title)" },
      /^text: calls label\(text\).*alter function label\(text\) stable$/,
    ],
    [
      "that depends on the time",
      { where: "created_at > now() - interval '1 day'" },
      /^where: depends on the time/,
    ],
    ["that depends on CURRENT_DATE", { where: "created_at < current_date" }, /^where: depends on the time/],
    ["that depends on an age", { where: "age(created_at) < '1 day'" }, /^where: depends on the time/],
    ["with the time as a literal", { where: "created_at > 'yesterday'" }, /^where: depends on the time/],
    [
      "that reads another table",
      { text: "(select name from authors limit 1)" },
      /^text: reads authors, whose changes/,
    ],
    [
      "that reads a generated column",
      { where: "posts.slug <> ''" },
      /^where: reads slug, which is generated, .*: write its expression instead$/,
    ],
    ["that aggregates", { text: "string_agg(title, ' ')" }, /^text: must have one result for each row/],
    [
      "that makes rows",
      { text: "regexp_split_to_table(title, ' ')" },
      /^text: must have one result for each row/,
    ],
  ])("an expression %s", async (_, options, text) => {
    const sql = `${POSTS} create table authors (name text);
      alter table posts add slug text generated always as (lower(title)) stored;
      create function label(text) returns text language plpgsql as 'begin return $1; end'`;
    expect(await problemOf(sql, post(options))).toMatch(text);
    expect((await database.client.query("select from posts")).rows).toEqual([]);
  });

  it("an embeddings table whose name is taken, and how to choose another", async () => {
    const guide = "create table post_embeddings (post_id integer primary key, embedding real[])";
    expect(await problemOf(`${POSTS} ${guide}`, post())).toBe(
      `embeddings: the name public.post_embeddings is taken by a table that is not Aftercommit's; choose another name: embeddings: "public.post_embeddings_aftercommit"`,
    );
    expect(await problemsOf("", post({ embeddings: "public.post_embeddings_aftercommit" }))).toEqual([]);
    expect(await problemOf("", post({ embeddings: "vectors.posts" }))).toBe(
      "embeddings: there is no schema vectors",
    );
  });
});

describe("of the options that a deletion names", () => {
  const user = (options: Partial<Parameters<typeof defineDeletion>[0]> = {}) =>
    defineDeletion({ row: "user", table: "users", key: "id", email: "email", ...options });
  const USERS =
    "create table users (id int primary key, email text not null, gone boolean, deleted_at timestamptz);";

  it("an address that the log of a deleted row does not contain, and nothing once it does", async () => {
    const fix = "alter table public.users replica identity full";
    expect(await problemOf(USERS, user())).toBe(
      `email: the log of a deleted row has no email, since it is not in the replica identity: ${fix}`,
    );
    expect(await problemsOf(fix, user())).toEqual([]);
    const index = `alter table users replica identity default, alter id set not null;
      create unique index by_email on users (id, email); alter table users replica identity using index by_email`;
    expect(await problemsOf(index, user())).toEqual([]);
  });

  it("nothing about an address that gets no e-mail, is the key, or comes with a mark", async () => {
    expect(await problemsOf(USERS, user({ email: undefined }))).toEqual([]);
    const marked = user({ when: "deleted_at" });
    expect(await problemsOf("alter table users replica identity full", marked)).toEqual([]);
    const sql = "create table people (email text primary key)";
    expect(await problemsOf(sql, user({ table: "people", key: "email" }))).toEqual([]);
  });

  it("a mark that the log of a deleted row does not contain: its delete would be another deletion", async () => {
    expect(await problemOf(USERS, user({ when: "deleted_at", email: undefined }))).toBe(
      "when: the log of a deleted row has no deleted_at, since it is not in the replica identity: alter table public.users replica identity full",
    );
  });

  it("a mark that is never null, or a boolean", async () => {
    const sql = `${USERS} alter table users replica identity full`;
    expect(await problemOf(sql, user({ when: "email" }))).toMatch(/^when: .*but it is never null/);
    expect(await problemOf("", user({ when: "gone" }))).toMatch(
      /^when: .*but it is a boolean, and false is not null/,
    );
    expect(await problemOf("", user({ when: "deletedAt" }))).toMatch(/^when: .*did you mean deleted_at\?/);
  });
});

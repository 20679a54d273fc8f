import { describe, expect, test } from "vitest";
import { until } from "../../../tests/helpers/until.ts";
import { parsePublication } from "../config/publication.ts";
import { sequinForTests } from "./sequin-for-tests.ts";
import type { SinkYaml } from "./stack.ts";

describe("the init_sql of a publication", () => {
  test.each([
    [
      "create publication p for table posts, public.users",
      [
        ["public", "posts"],
        ["public", "users"],
      ],
      [],
    ],
    [
      'CREATE PUBLICATION "p" FOR TABLE ONLY app."Big Posts" *, Users;',
      [
        ["app", "Big Posts"],
        ["public", "users"],
      ],
      [],
    ],
    ["create publication p for table a, tables in schema app, b", [["public", "a"]], ["app", "b"]],
    [
      "create publication p\n  for tables in schema app with (publish_via_partition_root = true)",
      [],
      ["app"],
    ],
    ["create publication p", [], []],
  ])("%s", (sql, tables, schemas) => {
    const expected = tables.map(([schema, name]) => ({ schema, name }));
    expect(parsePublication("p", sql)).toEqual({ name: "p", tables: expected, schemas });
  });

  test("that publishes all tables, or is left out, takes every table", () => {
    expect(parsePublication("p", "create publication p for all tables").tables).toBeUndefined();
    expect(parsePublication("p", undefined).tables).toBeUndefined();
  });

  test.each([
    ["create publication other for all tables", /must be a create publication statement for "p"/],
    ["select 1", /must be a create publication statement/],
    [
      "create publication p for table posts (id, title)",
      /names of tables and schemas only, not "table posts \(id"/,
    ],
    ["create publication p for table posts where (id > 1)", /names of tables and schemas only/],
  ])("that is something else is refused: %s", (sql, expected) => {
    expect(() => parsePublication("p", sql)).toThrow(expected);
  });
});

describe("what is captured", () => {
  const sequin = sequinForTests(
    "drop publication if exists p; create table posts (id int primary key); create table users (id int primary key)",
  );
  const { sql } = sequin;

  async function start(publication: object, ...sinks: SinkYaml[]): Promise<string[]> {
    const { lines } = await sequin.start({}, { sinks, publication });
    return lines;
  }
  const tables = (name: string, ...references: string[]) => ({
    name,
    source: { include_tables: references },
  });
  const captured = async () =>
    (
      await sql(
        "select distinct tgrelid::regclass::text as name from pg_trigger where tgname ~ 'sequin' order by 1",
      )
    ).map(({ name }) => name);
  const publication = { name: "p", init_sql: "create publication p for table public.posts" };

  test("are the tables of sequin.yaml's publication only, and the sinks of the others are named", async () => {
    const lines = await start(
      publication,
      tables("a", "public.posts"),
      tables("b", "public.posts", "public.users"),
      {
        name: "c",
        source: { include_schemas: ["elsewhere"] },
      },
    );
    expect(lines.toSorted()).toEqual([
      "b gets nothing of public.users: p does not publish it",
      "c gets nothing: none of its tables is in the database and in the publication",
      "watching public.posts",
    ]);
    expect(await captured()).toEqual(["posts"]);
    expect(await sequin.stack.tables("b")).toEqual(["public.posts"]);
    expect(await sql("select from pg_publication")).toEqual([]);
  });

  test("are the tables of the database's publication where there is one, whatever init_sql says", async () => {
    await sql("create publication p for table users");
    const lines = await start(publication, tables("a", "public.posts"), tables("b", "public.users"));
    expect(lines.toSorted()).toEqual([
      "a gets nothing of public.posts: p does not publish it",
      "watching public.users",
    ]);
    await sql("alter publication p add table posts");
    await until(async () => (await captured()).length === 2, { what: "the other table's triggers" });
  });

  test("is nothing where the database's publication is empty", async () => {
    await sql("create publication p");
    await start(publication, tables("a", "public.posts"));
    expect(await captured()).toEqual([]);
  });

  test("is a partitioned table whose partitions are published", async () => {
    await sql(`create table events (id int, primary key (id)) partition by range (id);
      create table events_1 partition of events for values from (0) to (100); create publication p for table events`);
    await start(publication, tables("a", "public.events"));
    await sql("insert into events values (1)");
    await until(() => sequin.receiver.messages().length === 1, { what: "the message" });
    expect(sequin.receiver.messages()[0]?.metadata.table_name).toBe("events");
  });

  test("has no part in a backfill, which reads the table all the same", async () => {
    await sql("insert into users values (7)");
    await start(publication, { ...tables("a", "public.users"), initial_backfill: true });
    await until(() => sequin.receiver.messages().length === 1, { what: "the read" });
    expect(sequin.receiver.messages()[0]).toMatchObject({ action: "read", record: { id: 7 } });
  });
});

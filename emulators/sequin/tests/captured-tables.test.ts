import { describe, expect, test } from "vitest";
import { until } from "../../../tests/helpers/until.ts";
import { short } from "./receiver.ts";
import { sequinForTests } from "./sequin-for-tests.ts";

const sequin = sequinForTests();
const { sql, start, messages } = sequin;

describe("tables", () => {
  test("a partition's change bears its parent's name, also for a partition made later", async () => {
    await sql(`create table events (id int, at date, primary key (id, at)) partition by range (at);
      create table events_1 partition of events for values from ('2024-01-01') to ('2025-01-01')`);
    await start({ source: { include_tables: ["public.events"] } });
    await sql("create table events_2 partition of events for values from ('2025-01-01') to ('2026-01-01')");
    await sql("insert into events values (1, '2024-05-05'), (2, '2025-05-05')");
    expect((await messages(2)).map(short)).toMatchObject([
      { table: "events", pks: ["1", "2024-05-05"] },
      { table: "events", pks: ["2", "2025-05-05"] },
    ]);
  });

  test("one that does not exist yet is waited for, said once, and captured when it appears or is made again", async () => {
    const { lines } = await start({ source: { include_tables: ["public.posts"] } });
    expect(lines).toEqual(["sink gets nothing of public.posts: it is not in the database yet"]);
    for (const id of [1, 2]) {
      await sql("drop table if exists posts; create table posts (id int primary key)");
      await until(
        async () => (await sql("select from pg_trigger where tgrelid = 'posts'::regclass")).length === 2,
      );
      await sql("insert into posts values ($1)", [id]);
      await messages(id);
    }
  });

  test("a sink takes only its tables and actions; two sinks may take one table", async () => {
    await sql("create table posts (id int primary key); create table other (id int primary key)");
    const all = {
      name: "all",
      source: { include_tables: ["posts"] },
      destination: { http_endpoint_path: "/all" },
    };
    const deletes = { ...all, name: "deletes", actions: ["delete"] };
    await start({}, { sinks: [all, { ...deletes, destination: { http_endpoint_path: "/del" } }] });
    await sql("insert into posts values (1); insert into other values (1); delete from posts");
    await messages(3);
    expect(
      sequin.receiver.requests.map(({ url, messages: [one] }) => `${url} ${one?.action}`).sort(),
    ).toEqual(["/all delete", "/all insert", "/del delete"]);
    const keys = sequin.receiver
      .messages()
      .map(({ action, metadata }) => `${action} ${metadata.idempotency_key}`);
    expect(new Set(keys).size).toBe(2);
  });
});

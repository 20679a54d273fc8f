import { describe, expect, test } from "vitest";
import { until } from "../../../tests/helpers/until.ts";
import { sequinForTests } from "./sequin-for-tests.ts";

const sequin = sequinForTests(
  "create table posts (id int primary key, title text); create table users (id int primary key)",
);
const { sql, start, insert, ids, requests, settled } = sequin;

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
    const [read] = sequin.receiver.messages();
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
    await sql("delete from posts where id = 7");
    await requests(451);
    expect(sequin.receiver.messages().at(-1)?.action).toBe("delete");
  });

  test("the initial backfill of a table that appears later reads what it holds by then", async () => {
    await start({ initial_backfill: true, source: { include_tables: ["public.late"] } });
    await sql("create table late as select 5 as id; alter table late add primary key (id)");
    await requests(1);
    expect(sequin.receiver.messages()[0]).toMatchObject({ action: "read", record: { id: 5 } });
  });

  test("a backfill by call has new keys each time; tables without a key, or with a composite one, work", async () => {
    await sql(`create table pairs (a text, b timestamptz, primary key (b, a)); create table bare (t text);
      insert into pairs select 'x', timestamptz '2024-01-01 00:00:00.5+00' + n * interval '1 s' from generate_series(1, 250) n;
      insert into bare select 'y' from generate_series(1, 3)`);
    await start();
    await sequin.stack.backfill("sink", "public.pairs");
    await sequin.stack.backfill("sink", "bare");
    await requests(253);
    await sequin.stack.backfill("sink", "pairs");
    await requests(503);
    const keys = sequin.receiver
      .messages()
      .filter(({ metadata }) => metadata.table_name === "pairs")
      .map(({ metadata }) => metadata.idempotency_key);
    expect(new Set(keys).size).toBe(500);
    await expect(sequin.stack.backfill("nobody", "posts")).rejects.toThrow('no sink is called "nobody"');
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

import { serialize } from "pg-protocol";
import { describe, expect, it } from "vitest";
import { serverForTests } from "./server.ts";
import { textOf } from "./wire-client.ts";

const { connect, wire } = serverForTests();

const useUnnamed = [serialize.bind({}), serialize.execute({}), serialize.sync()];

describe("prepared statements", () => {
  it("keeps the unnamed statement of each client", async () => {
    const [a, b] = await Promise.all([wire(), wire()]);
    for (const [client, text] of [
      [a, "select 'of a'"],
      [b, "select 'of b'"],
    ] as const) {
      client.send(serialize.parse({ text }), serialize.sync());
      expect(await client.typesUntil("Z")).toBe("1Z");
    }
    for (const [client, answer] of [
      [a, "of a"],
      [b, "of b"],
      [a, "of a"],
    ] as const) {
      client.send(...useUnnamed);
      expect(textOf(await client.until("Z"), "D")).toContain(answer);
    }
  });

  it("forgets the unnamed statement after the client's own simple query, as Postgres does", async () => {
    const client = await wire();
    client.send(serialize.parse({ text: "select 1" }), serialize.sync());
    await client.until("Z");
    await client.query("select 2");
    client.send(...useUnnamed);
    expect(textOf(await client.until("Z"), "E")).toContain("C26000");
  });

  it("lets clients use one name for different statements, also of the length that Postgres allows", async () => {
    const [a, b] = await Promise.all([connect(), connect()]);
    for (const name of ["same", "n".repeat(63)]) {
      const ofA = () => a.query({ name, text: "select 'of a' as answer" });
      const ofB = () => b.query({ name, text: "select $1::text as answer", values: ["of b"] });
      for (const ask of [ofA, ofB, ofA, ofB]) {
        expect((await ask()).rows[0].answer).toBe(ask === ofA ? "of a" : "of b");
      }
    }
  });

  it.each(["deallocate all", "discard all"])(
    "keeps a client's statements through another's %s",
    async (sweep) => {
      const [a, b] = await Promise.all([connect(), connect()]);
      const ask = () => a.query({ name: "kept", text: "select 'of a' as answer" });
      await ask();
      await a.query("prepare by_sql(int) as select $1 + 1 as answer");
      await b.query(sweep);
      expect((await ask()).rows).toEqual([{ answer: "of a" }]);
      expect((await a.query("execute by_sql(1)")).rows).toEqual([{ answer: 2 }]);
    },
  );

  it("keeps PREPARE, EXECUTE and DEALLOCATE in SQL apart, with the client's names in errors", async () => {
    const [a, b] = await Promise.all([connect(), connect()]);
    await a.query("prepare mine as select 'of a' as answer");
    await expect(b.query("execute mine")).rejects.toMatchObject({
      code: "26000",
      message: 'prepared statement "mine" does not exist',
    });
    await b.query(
      "/* execute mine */ prepare mine(text) as select 'execute mine ' || $1 as answer; select 1",
    );
    expect((await a.query("execute mine")).rows).toEqual([{ answer: "of a" }]);
    expect((await b.query('execute "mine"($$b$$)')).rows).toEqual([{ answer: "execute mine b" }]);
    expect((await b.query("explain execute mine('b')")).rows).toHaveLength(1);
    await b.query("create table made as execute mine('b'); deallocate mine");
    await expect(b.query("execute mine('b')")).rejects.toMatchObject({ code: "26000" });
    expect((await a.query("execute mine")).rows).toEqual([{ answer: "of a" }]);
  });

  it("frees the statements of a client that has gone", async () => {
    const gone = await wire();
    gone.send(serialize.parse({ name: "left", text: "select 'left behind'" }), serialize.sync());
    await gone.until("Z");
    const { rows: before } = await (await connect()).query("select name from pg_prepared_statements");
    expect(before).toHaveLength(1);
    gone.socket.destroy();
    await expect
      .poll(async () => (await (await connect()).query("select name from pg_prepared_statements")).rows)
      .toEqual([]);
  });
});

describe("settings", () => {
  const timezone = "select current_setting('TimeZone') as value";

  it("keeps SET, set_config, roles and custom settings of a client to itself", async () => {
    const [a, b] = await Promise.all([connect(), connect()]);
    await a.query(
      "create role apart_reader; set timezone = 'Europe/Paris'; set app.tenant = 'a'; set role apart_reader",
    );
    await a.query("select set_config('work_mem', $1, false)", ["5MB"]);
    const ask = `select current_setting('TimeZone') || ' ' || current_setting('work_mem') || ' ' || current_user
      || ' ' || coalesce(nullif(current_setting('app.tenant', true), ''), 'none') as value`;
    for (const [client, value] of [
      [b, "UTC 4MB postgres none"],
      [a, "Europe/Paris 5MB apart_reader a"],
      [b, "UTC 4MB postgres none"],
    ] as const) {
      expect((await client.query(ask)).rows).toEqual([{ value }]);
    }
    await a.query("reset role");
    await a.query("discard all");
    expect((await a.query(ask)).rows).toEqual([{ value: "UTC 4MB postgres none" }]);
  });

  it("follows rollbacks, and leaves SET LOCAL to its transaction", async () => {
    const [a, b] = await Promise.all([connect(), connect()]);
    await a.query("begin; set timezone = 'Asia/Tokyo'; rollback");
    await a.query("begin; set local timezone = 'Asia/Tokyo'; commit");
    for (const client of [b, a]) expect((await client.query(timezone)).rows).toEqual([{ value: "UTC" }]);
  });

  it("applies what a client asks for when it connects, and returns to it on RESET", async () => {
    const a = await connect({ application_name: "first", options: "-c timezone=Asia/Tokyo -c work_mem=7MB" });
    const b = await connect({ application_name: "second" });
    const ask = "select current_setting('application_name') || ' ' || current_setting('TimeZone') as value";
    expect((await b.query(ask)).rows).toEqual([{ value: "second UTC" }]);
    expect((await a.query(ask)).rows).toEqual([{ value: "first Asia/Tokyo" }]);
    await a.query("set timezone = 'Europe/Paris'");
    await a.query("reset timezone");
    await b.query("select 1");
    expect((await a.query(ask)).rows).toEqual([{ value: "first Asia/Tokyo" }]);
  });

  it("reports the settings that clients rely on, at the start and when they change", async () => {
    const client = await wire({ TimeZone: "Asia/Tokyo", application_name: "wire" });
    const start = textOf(client.frames, "S");
    expect(start).toMatch(/server_version\|18\./);
    for (const setting of [
      "client_encoding|UTF8",
      "DateStyle|ISO, MDY",
      "integer_datetimes|on",
      "standard_conforming_strings|on",
      "TimeZone|Asia/Tokyo",
      "application_name|wire",
    ]) {
      expect(start).toContain(setting);
    }
    const changed = textOf(await client.query("set datestyle = 'German'"), "S");
    expect(changed).toBe("DateStyle|German, DMY|");
  });

  it("ends a client that connects with a setting that Postgres refuses, and no other", async () => {
    const client = await connect({ options: "-c timezone=Nowhere/Land" });
    await expect(client.query("select 1")).rejects.toMatchObject({ code: "22023", severity: "FATAL" });
    expect((await (await connect()).query(timezone)).rows).toEqual([{ value: "UTC" }]);
  });
});

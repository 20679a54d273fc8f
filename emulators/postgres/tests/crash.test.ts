import { Client } from "pg";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type LocalPostgres, startLocalPostgres } from "../../../tests/helpers/postgres.ts";
import { until } from "../../../tests/helpers/until.ts";

let postgres: LocalPostgres;
beforeAll(async () => {
  postgres = await startLocalPostgres();
});
afterAll(() => postgres.close());

async function connect(): Promise<Client> {
  const client = new Client(postgres.url);
  client.on("error", () => {});
  await client.connect();
  return client;
}

it("rejects with the system's error when the port is taken", async () => {
  const { port } = postgres;
  const second = startLocalPostgres({ port });
  await expect(second).rejects.toMatchObject({ code: "EADDRINUSE" });
});

it("answers endless recursion with Postgres' own error", async () => {
  const client = await connect();
  await client.query(`create function deeper(i int) returns int language plpgsql as 'begin return 1; end';
    create or replace function deeper(i int) returns int language plpgsql as 'begin return deeper(i + 1); end'`);
  const nested = [
    "select deeper(1)",
    "select repeat('[', 1000000)::json",
    "select 'a' ~ repeat('(a', 20000)",
    `select ${"(".repeat(9_000)}1${")".repeat(9_000)}`,
    `select ${"1+".repeat(20_000)}1`,
  ];
  for (const sql of nested) {
    const outcome = await client.query(sql).then(
      () => "answered",
      (error) => error.code,
    );
    expect([sql.slice(0, 30), outcome]).toEqual([
      sql.slice(0, 30),
      expect.stringMatching(/^(answered|54001|22P02|2201B)$/),
    ]);
  }
  expect(postgres.log).toEqual([]);
  await client.end();
});

it("starts again on its port, with what was committed, after a statement broke the engine", async () => {
  const client = await connect();
  await client.query("create table kept (value int); insert into kept values (1)");
  // With this setting off, the text below hides a COPY FROM STDIN from us.
  await client.query("set standard_conforming_strings = off");
  await expect(client.query(String.raw`select 'a\''; copy kept from stdin; --'`)).rejects.toThrow();
  await until(() => postgres.log.includes("starting again"), { what: "the restart" });
  const again = await until(() => connect().catch(() => null), { what: "the port" });
  expect((await again.query("select * from kept")).rows).toEqual([{ value: 1 }]);
  expect(postgres.log.some((line) => line.startsWith("crashed: "))).toBe(true);
  await again.end();
});

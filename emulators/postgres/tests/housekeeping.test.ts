import { rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { copyOf } from "../../../tests/helpers/postgres-template.ts";
import { type Engine, openEngine } from "../engine.ts";
import { frame } from "../frames.ts";
import { Housekeeping } from "../housekeeping.ts";
import { Session } from "../session.ts";
import { Turnstile } from "../turnstile.ts";

let folder: string;
let engine: Engine;
beforeAll(async () => {
  folder = copyOf("empty");
  engine = await openEngine(join(folder, "data"));
});
afterAll(async () => {
  await engine.close();
  await rm(folder, { recursive: true });
});

it("keeps the write-ahead log short and cleans the table that changed most", () => {
  const log: string[] = [];
  const session = new Session(engine);
  const client = session.newClient(1, 1, new Map(), () => {});
  const turnstile = new Turnstile((line) => log.push(line));
  const housekeeping = new Housekeeping(engine, session, turnstile, (line) => log.push(line));
  engine.query("create table churned (value int, body text)");
  for (let round = 0; round < 30; round++) {
    engine.query("insert into churned select i, repeat('x', 1000) from generate_series(1, 1000) i");
    engine.query("delete from churned");
  }
  session.enter(client);
  session.run(client, { type: "Q", bytes: frame("Q", "create role powerless; set role powerless") });
  turnstile.request(housekeeping);
  expect(log).toEqual([expect.stringMatching(/^checkpoint of \d{5} kB in \d+ ms$/)]);
  const [[written] = []] = engine.query(
    "select pg_wal_lsn_diff(pg_current_wal_insert_lsn(), redo_lsn) from pg_control_checkpoint()",
  );
  expect(Number(written)).toBeLessThan(5_000_000);
  expect(engine.query("select pg_relation_size('churned')")).toEqual([["0"]]);
  expect(engine.query("select count(*) < 6 from pg_ls_waldir()")).toEqual([["t"]]);
  expect(turnstile.holds(housekeeping)).toBe(false);
  housekeeping.finish();
});

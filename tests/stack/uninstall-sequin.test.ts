import { execFile } from "node:child_process";
import { resolve } from "node:path";
import { promisify } from "node:util";
import pg from "pg";
import { expect, it } from "vitest";
import { startFreshPostgres } from "../postgres.ts";

it("npm run local -- sequin --uninstall removes the Sequin emulator from a database", async () => {
  const database = await startFreshPostgres();
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  const schemas = async () => {
    const { rows } = await client.query<{ name: string }>(
      "select nspname as name from pg_namespace where nspname like 'sequin%' or nspname = 'mine' order by 1",
    );
    return rows.map(({ name }) => name);
  };
  await client.query(
    "create schema sequin_local; create table sequin_local.outbox (id bigint); create schema mine",
  );
  const { stdout } = await promisify(execFile)(
    "npm",
    ["run", "--silent", "local", "--", "sequin", "--uninstall"],
    {
      cwd: resolve(import.meta.dirname, "../.."),
      env: { ...process.env, DATABASE_URL: database.url },
    },
  );
  expect(stdout).toContain("nothing of the local Sequin is left");
  expect(await schemas()).toEqual(["mine"]);
  await client.end();
  await database.close();
}, 60_000);

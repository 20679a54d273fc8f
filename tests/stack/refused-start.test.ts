import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import pg from "pg";
import { afterAll, beforeAll, expect, it } from "vitest";
import { borrowLocalPostgres, startFreshPostgres } from "../helpers/postgres.ts";
import { choosePorts } from "../helpers/stack/dev-stack.ts";
import { FOREIGN } from "../helpers/stack/foreign-database.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const dataDir = mkdtempSync(join(tmpdir(), "refused-"));
let database: Awaited<ReturnType<typeof startFreshPostgres>>;

beforeAll(async () => {
  database = await startFreshPostgres();
});

afterAll(async () => {
  await database.close();
  rmSync(dataDir, { recursive: true });
});

const dev = (variables: Record<string, string>) => run(["dev"], variables);

/** Starts a command with these variables and waits until it ends. */
async function run(
  command: readonly string[],
  variables: Record<string, string>,
): Promise<{ code: unknown; output: string }> {
  const ports = await choosePorts();
  const { PATH, HOME } = process.env;
  const child = spawn("npm", ["run", "--silent", ...command], {
    cwd: ROOT,
    env: {
      NODE_ENV: "development",
      PATH,
      HOME,
      PORT: String(ports.app),
      LOCAL_PORT: String(ports.http),
      LOCAL_POSTGRES_PORT: String(ports.postgres),
      LOCAL_SMTP_PORT: String(ports.smtp),
      LOCAL_DATA_DIR: dataDir,
      ...variables,
    },
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk) => {
      output += chunk;
    });
  const [code] = await once(child, "close");
  return { code, output };
}

it("names a missing TRIGGER_PROJECT_REF immediately, and starts nothing", async () => {
  const { code, output } = await dev({ TRIGGER_SECRET_KEY: "tr_dev_x" });
  expect(code).toBe(1);
  expect(output).toContain("Nothing was started:\n  TRIGGER_PROJECT_REF is not set");
  expect(output.trim().split("\n")).toHaveLength(2);
  expect(existsSync(join(dataDir, "trigger"))).toBe(false);
});

it("sends no local key to a server that only TRIGGER_API_URL names", async () => {
  const { code, output } = await dev({ TRIGGER_API_URL: "https://trigger.example.com" });
  expect(code).toBe(1);
  expect(output).toContain("TRIGGER_SECRET_KEY is not set, but TRIGGER_API_URL is set");
});

it("says that a database is not migrated, and the command, and changes nothing", async () => {
  const { code, output } = await dev({ ...FOREIGN, DATABASE_URL: database.url });
  expect(code).toBe(1);
  expect(output).toContain("lacks 001_aftercommit");
  expect(output).toContain("`npm run migrate`");
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  const { rows } = await client.query(
    "select tablename from pg_tables where schemaname in ('public', 'drizzle', 'aftercommit')",
  );
  await client.end();
  expect(rows).toEqual([]);
});

it("says which database does not answer, without its password", async () => {
  const { postgres } = await choosePorts();
  const { code, output } = await dev({
    ...FOREIGN,
    DATABASE_URL: `postgres://app:hunter2@127.0.0.1:${postgres}/app`,
  });
  expect(code).toBe(1);
  expect(output).toContain(`127.0.0.1:${postgres}`);
  expect(output).not.toContain("hunter2");
});

it("puts no triggers of the Sequin emulator into another database", async () => {
  const { code, output } = await run(["local", "--", "sequin"], { DATABASE_URL: database.url });
  expect(code).toBe(1);
  expect(output).toContain("npm run capture -- --temporary");
});

it("says how to set wal_level where LOCAL_CAPTURE needs it", async () => {
  const migrated = await borrowLocalPostgres("migrated");
  const { code, output } = await dev({
    ...FOREIGN,
    DATABASE_URL: migrated.url,
    LOCAL_CAPTURE: "on",
    SMTP_URL: "smtp://mail.invalid",
    MAIL_FROM: "app@example.com",
  });
  await migrated.close();
  expect(code).toBe(1);
  expect(output).toContain("wal_level is replica: alter system set wal_level = 'logical'");
});

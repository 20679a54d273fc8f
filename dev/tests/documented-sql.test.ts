import { exec } from "node:child_process";
import { promisify } from "node:util";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { blocksOf, commandsOf, type Document, documents, ROOT } from "../../tests/helpers/documents.ts";
import { startMigratedPostgres } from "../../tests/helpers/postgres.ts";

let database: Awaited<ReturnType<typeof startMigratedPostgres>>;
let client: pg.Client;
beforeAll(async () => {
  database = await startMigratedPostgres();
  client = new pg.Client({ connectionString: database.url });
  await client.connect();
});
afterAll(async () => {
  await client.end();
  await database.close();
});

const page = (name: string): Document =>
  documents.find((document) => document.name === name) ?? expect.fail(`no ${name}`);

describe("npm run sql, as README.md has it", () => {
  it.each(commandsOf(page("README.md")).filter((command) => command.startsWith("npm run sql")))(
    "%s",
    async (command) => {
      const env = { ...process.env, DATABASE_URL: database.url };
      const { stdout } = await promisify(exec)(command.replace("npm run", "npm run --silent"), {
        cwd: ROOT,
        env,
      });
      expect(stdout).toMatch(/^(INSERT 1|DELETE 0|\(\d+ rows?\))$/m);
    },
  );
});

describe("the SQL of docs/troubleshooting.md", () => {
  it.each(blocksOf(page("docs/troubleshooting.md"), "sql"))("%s", async (block) => {
    await client.query("begin");
    // One block reads it, as the page says.
    await client.query("create table known_users (like users)");
    await client.query(block);
    await client.query("rollback");
  });
});

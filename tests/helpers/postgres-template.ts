import { createHash } from "node:crypto";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { Client } from "pg";
import * as config from "../../aftercommit.config.ts";
import { createSampleTables } from "../../dev/sample-tables.ts";
import { databaseIn } from "../../emulators/postgres/data-folder.ts";
import { startPostgres } from "../../emulators/postgres/start.ts";
import { declarationsOf } from "../../packages/aftercommit/src/declare/declarations.ts";
import { migrate } from "../../packages/aftercommit/src/migrate/migrate.ts";
import { CHUNKER } from "../../packages/aftercommit/src/models/defaults.ts";
import { databaseUrl, realPostgres, runOn } from "./real-postgres.ts";

export type Template = "empty" | "migrated";

const root = new URL("../../", import.meta.url);

/** A file of this repository, or all files of one of its folders, without their tests. */
function contentsOf(path: string): Buffer[] {
  const url = new URL(path, root);
  if (!path.endsWith("/")) return [readFileSync(url)];
  return readdirSync(url, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.endsWith(".test.ts"))
    .map((entry) => join(entry.parentPath, entry.name))
    .toSorted()
    .map((file) => readFileSync(file));
}

function digestOf(contents: readonly Buffer[]): string {
  const digest = createHash("sha256");
  for (const content of contents) digest.update(content);
  return digest.digest("hex").slice(0, 12);
}

/** Everything that decides what a database looks like: if it changes, another template is made. */
const engine = ["package.json", "engine.ts", "data-folder.ts"].flatMap((name) =>
  contentsOf(`emulators/postgres/${name}`),
);
const schema = [
  "aftercommit.config.ts",
  "drizzle/migrations/",
  "packages/aftercommit/sql/",
  ...["catalog/", "migrate/", "define.ts", "source.ts", "models/defaults.ts"].map(
    (path) => `packages/aftercommit/src/${path}`,
  ),
].flatMap(contentsOf);

const cache = join(dirname(createRequire(import.meta.url).resolve("tsx/package.json")), "../.cache");
const folders = {
  empty: join(cache, `local-postgres-${digestOf(engine)}`),
  migrated: join(cache, `local-postgres-migrated-${digestOf([...engine, ...schema])}`),
};
const migratedDatabase = `aftercommit_template_${digestOf(schema)}`;

/** The database of a real server that others are copies of. */
export const templateDatabase = (template: Template) =>
  template === "empty" ? "template0" : migratedDatabase;

/** A data folder with a database. A copy, because initdb and migrations take seconds of processor time. */
export function copyOf(template: Template): string {
  const folder = mkdtempSync(join(process.env.TEST_RUN_FOLDER ?? tmpdir(), "local-postgres-"));
  cpSync(folders[template], folder, { recursive: true });
  return folder;
}

/** Vitest's global setup: creates what every database of the suites is a copy of. */
export async function setup(): Promise<void> {
  // Vitest ends its processes silently, so what they leave behind is removed at the end of the run.
  process.env.TEST_RUN_FOLDER ??= mkdtempSync(join(tmpdir(), "aftercommit-tests-"));
  await makeFolder("empty", async (draft) => {
    await databaseIn(draft);
  });
  await makeFolder("migrated", async (draft) => {
    cpSync(folders.empty, draft, { recursive: true });
    const postgres = await startPostgres({ dataDir: draft, host: "127.0.0.1", port: 0, log: () => {} });
    await applyMigrations(postgres.url);
    await postgres.close();
  });
  if (realPostgres) await makeDatabase(realPostgres);
}

export function teardown(): void {
  if (process.env.TEST_RUN_FOLDER) rmSync(process.env.TEST_RUN_FOLDER, { recursive: true, force: true });
}

async function makeFolder(template: Template, fill: (draft: string) => Promise<void>): Promise<void> {
  if (existsSync(folders[template])) return;
  mkdirSync(cache, { recursive: true });
  const draft = mkdtempSync(join(cache, "draft-"));
  await fill(draft);
  try {
    renameSync(draft, folders[template]);
  } catch (error) {
    rmSync(draft, { recursive: true });
    // Tests that run at the same time may have been faster.
    if (!existsSync(folders[template])) throw error;
  }
}

async function makeDatabase(serverUrl: string): Promise<void> {
  const draft = `${migratedDatabase}_draft`;
  const client = new Client({ connectionString: serverUrl });
  await client.connect();
  try {
    // Tests that run at the same time wait here, and find it created.
    await client.query("select pg_advisory_lock(hashtext('aftercommit_template'))");
    const found = await client.query("select from pg_database where datname = $1", [migratedDatabase]);
    if (found.rowCount) return;
    await runOn(serverUrl, [
      `drop database if exists ${draft}`,
      `create database ${draft} template template0`,
    ]);
    await applyMigrations(databaseUrl(serverUrl, draft));
    await client.query(`alter database ${draft} rename to ${migratedDatabase}`);
  } finally {
    await client.end();
  }
}

/** The model of a new database of the suites. */
export const FIRST_MODEL = {
  provider: "openai",
  name: "text-embedding-3-small",
  dimensions: 1_536,
  dimensionsAsked: false,
  chunker: CHUNKER,
};

/** Creates the sample tables, then all of Aftercommit's. */
export async function applyMigrations(url: string): Promise<void> {
  await createSampleTables(url);
  await migrate({ url, declarations: declarationsOf(config), model: FIRST_MODEL });
}

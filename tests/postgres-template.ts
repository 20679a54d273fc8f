import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { databaseIn } from "../local/postgres/data-folder.ts";

/** All that decides what a fresh database looks like: another template is made when it changes. */
const digest = createHash("sha256");
for (const file of ["package.json", "postgres/engine.ts", "postgres/data-folder.ts"])
  digest.update(readFileSync(new URL(`../local/${file}`, import.meta.url)));

const cache = join(dirname(createRequire(import.meta.url).resolve("tsx/package.json")), "../.cache");
const template = join(cache, `local-postgres-${digest.digest("hex").slice(0, 12)}`);

/** Vitest's global set-up: makes the fresh database that every data folder below is a copy of. */
export async function setup(): Promise<void> {
  if (existsSync(template)) return;
  mkdirSync(cache, { recursive: true });
  const draft = mkdtempSync(join(cache, "draft-"));
  await databaseIn(draft);
  try {
    renameSync(draft, template);
  } catch (error) {
    rmSync(draft, { recursive: true });
    // Tests that run beside these may have been faster.
    if (!existsSync(template)) throw error;
  }
}

/** A data folder with a fresh database: a copy, since initdb takes seconds of processor time. */
export function newDataDir(): string {
  const folder = mkdtempSync(join(tmpdir(), "local-postgres-"));
  cpSync(template, folder, { recursive: true });
  return folder;
}

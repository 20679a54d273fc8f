// Runs another entry with the .env files, and with the emulators' addresses while they run, so that every command of
// the README works on a laptop. node scripts/run.mjs scripts/with-environment.ts packages/aftercommit/cli/reconcile.ts
// [arguments]
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

const root = resolve(import.meta.dirname, "..");
const nextEnv: typeof import("@next/env") = createRequire(import.meta.url)("@next/env");
nextEnv.loadEnvConfig(root, true, { info() {}, error: console.error });

const emulators = resolve(root, "emulators/stack/variables.ts");
// If a database is set, nothing else of the local stack is meant either.
if (!process.env.DATABASE_URL?.trim() && existsSync(emulators)) {
  const { localVariables } = await import(pathToFileURL(emulators).href);
  Object.assign(process.env, localVariables(process.env));
}

const entry = resolve(root, process.argv[2] ?? "");
process.argv.splice(1, 2, entry);
await import(pathToFileURL(entry).href);

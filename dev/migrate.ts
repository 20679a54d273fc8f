import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Variables } from "@aftercommit/local-stack/emulators.ts";
import { createSampleTables } from "./sample-tables.ts";

/** Runs `npm run migrate` with these variables and passes on its lines. Rejects if it fails. */
async function runMigrate(variables: Variables, say: (line: string) => void): Promise<void> {
  const child = spawn(process.execPath, ["scripts/run.mjs", "packages/aftercommit/cli/migrate.ts"], {
    env: { ...process.env, ...variables },
    stdio: ["ignore", "pipe", "pipe"],
  });
  for (const stream of [child.stdout, child.stderr]) createInterface({ input: stream }).on("line", say);
  const [code] = await once(child, "exit");
  if (code !== 0) throw new Error("The database could not be migrated; see the lines above.");
}

/** Prepares the local database: the sample tables, then Aftercommit's. */
export async function prepareDatabase(variables: Variables, say: (line: string) => void): Promise<void> {
  await createSampleTables(variables.DATABASE_URL ?? "");
  await runMigrate(variables, say);
}

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Variables } from "@aftercommit/local-stack/stand-ins.ts";

/** Runs `npm run migrate`'s script with these variables, and hands on its lines. Rejects when it fails. */
export async function applyMigrations(variables: Variables, say: (line: string) => void): Promise<void> {
  const child = spawn(process.execPath, ["scripts/run.mjs", "scripts/migrate.ts"], {
    env: { ...process.env, ...variables },
    stdio: ["ignore", "pipe", "pipe"],
  });
  for (const stream of [child.stdout, child.stderr]) createInterface({ input: stream }).on("line", say);
  const [code] = await once(child, "exit");
  if (code !== 0) throw new Error("The database could not be migrated; see the lines above.");
}

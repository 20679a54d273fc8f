import { existsSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { openEngine } from "./engine.ts";

/**
 * The database's folder inside a data folder, created if there is none. A database whose creation was killed halfway
 * never gets the name under which it is opened.
 */
export async function databaseIn(folder: string): Promise<string> {
  const data = join(folder, "data");
  if (existsSync(data)) return data;
  const draft = join(folder, "data.new");
  rmSync(draft, { recursive: true, force: true });
  const engine = await openEngine(draft);
  await engine.close();
  renameSync(draft, data);
  return data;
}

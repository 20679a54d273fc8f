import { existsSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type Engine, openEngine } from "./engine.ts";
import { lockFolder } from "./folder-lock.ts";

export type OpenData = { engine: Engine; close(): Promise<void> };

/** Locks a folder and opens the database in it, made anew if there is none. Throws FolderInUseError. */
export async function openDataFolder(folder: string | null): Promise<OpenData> {
  if (folder === null) {
    const engine = await openEngine(null);
    return { engine, close: () => engine.close() };
  }
  const unlock = await lockFolder(folder);
  try {
    const data = join(folder, "data");
    if (!existsSync(data)) await initialise(join(folder, "data.new"), data);
    const engine = await openEngine(data);
    return { engine, close: () => engine.close().finally(unlock) };
  } catch (error) {
    unlock();
    throw error;
  }
}

/** A database that a kill left half made never gets the name under which it is opened. */
async function initialise(draft: string, data: string): Promise<void> {
  rmSync(draft, { recursive: true, force: true });
  const engine = await openEngine(draft);
  await engine.close();
  renameSync(draft, data);
}

import { createHash } from "node:crypto";
import { join } from "node:path";
import { localDatabaseUrl, type Variables } from "./emulators.ts";
import type { Settings } from "./settings.ts";

/**
 * The folder in which the Trigger.dev emulator keeps its runs. Waiting runs belong to the database whose changes
 * triggered them, so each database has a folder: with one for all, a run of the local database would do its work in a
 * real one.
 */
export function runsFolder(settings: Settings, { DATABASE_URL }: Variables): string {
  if (!DATABASE_URL || DATABASE_URL === localDatabaseUrl(settings)) return settings.dataDir;
  const { host, pathname } = new URL(DATABASE_URL);
  const name = createHash("sha256").update(`${host}${pathname}`).digest("hex").slice(0, 12);
  return join(settings.dataDir, `beside-${name}`);
}

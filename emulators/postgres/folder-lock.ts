import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { ClassicLevel } from "classic-level";

/** Another process has the folder open. */
export class FolderInUseError extends Error {
  override name = "FolderInUseError";
}

/**
 * Locks a folder for this process, and returns a function that unlocks it. The lock is that of an empty LevelDB next to
 * the data: the system releases it when a process ends, however it ends. Throws FolderInUseError.
 */
export async function lockFolder(folder: string): Promise<() => Promise<void>> {
  await mkdir(folder, { recursive: true });
  const lock = new ClassicLevel(join(folder, "in-use"));
  try {
    await lock.open();
  } catch (error) {
    if (!isLocked(error)) throw error;
    const advice = "Stop the local stack that has it open, or choose another folder.";
    throw new FolderInUseError(`${folder} is in use by another process. ${advice}`, { cause: error });
  }
  return () => lock.close();
}

function isLocked(error: unknown): boolean {
  const { cause } = error instanceof Error ? error : {};
  return cause instanceof Error && "code" in cause && cause.code === "LEVEL_LOCKED";
}

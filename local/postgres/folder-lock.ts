import { execFileSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";

const lockSchema = z.object({ pid: z.number().int(), startedAt: z.string().nullable(), token: z.string() });

/** Another process has the folder open. */
export class FolderInUseError extends Error {
  override name = "FolderInUseError";
  constructor(folder: string, pid: number) {
    super(`${folder} is in use by process ${pid}. Stop that process, or choose another folder.`);
  }
}

// The time in which another process may take over the same stale lock; the last writer has it.
const takeoverMs = 50;

/**
 * Keeps a folder to this process by the file `lock` in it, and returns what gives it up. The lock of a process that
 * is gone is taken over, also when its pid belongs to another process by now. Throws FolderInUseError.
 */
export async function lockFolder(folder: string): Promise<() => void> {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, "lock");
  const token = randomUUID();
  const own = JSON.stringify({ pid: process.pid, startedAt: startTimeOf(process.pid), token });
  try {
    writeFileSync(path, own, { flag: "wx" });
  } catch (error) {
    if (!isErrno(error, "EEXIST")) throw error;
    const holder = livingHolder(path);
    if (holder !== null) throw new FolderInUseError(folder, holder);
    const draft = `${path}.${token}`;
    writeFileSync(draft, own);
    renameSync(draft, path);
    await delay(takeoverMs);
    const winner = readLock(path);
    if (winner?.token !== token) throw new FolderInUseError(folder, winner?.pid ?? 0);
  }
  return () => {
    if (readLock(path)?.token === token) rmSync(path, { force: true });
  };
}

function livingHolder(path: string): number | null {
  const lock = readLock(path);
  if (!lock || !isAlive(lock.pid)) return null;
  const startedAt = startTimeOf(lock.pid);
  return startedAt === null || lock.startedAt === null || startedAt === lock.startedAt ? lock.pid : null;
}

function readLock(path: string): z.infer<typeof lockSchema> | null {
  try {
    return lockSchema.parse(JSON.parse(readFileSync(path, "utf8")));
  } catch {
    // A process was killed while it wrote the file, or the file is gone.
    return null;
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return isErrno(error, "EPERM");
  }
}

/** When a process started, in whatever form the system says it; null when it does not say. */
function startTimeOf(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    // The command, in parentheses, may hold blanks; the start time is the 20th field after it.
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? null;
  } catch {
    // No /proc: macOS.
  }
  try {
    return execFileSync("ps", ["-o", "lstart=", "-p", String(pid)], { encoding: "utf8" }).trim() || null;
  } catch {
    return null;
  }
}

function isErrno(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}

import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

const EVERY_MS = 500;

/** Resident bytes of a process: its peak if the system records that (Linux), otherwise the current value. */
export function residentBytes(pid: number): number {
  try {
    const peak = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
    return 1024 * Number(peak ?? execFileSync("ps", ["-o", "rss=", "-p", String(pid)]).toString());
  } catch {
    // It has ended.
    return 0;
  }
}

/** Watches a process. Returns the most memory that it has used. */
export function watchMemory(pid: number) {
  let most = 0;
  const look = () => {
    most = Math.max(most, residentBytes(pid));
    return most;
  };
  const timer = setInterval(look, EVERY_MS);
  return {
    peak: look,
    stop: () => clearInterval(timer),
  };
}

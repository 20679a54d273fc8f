import { execFileSync } from "node:child_process";

export type Process = { pid: number; parent: number; seconds: number; command: string };

/** Every process of this machine. */
export function allProcesses(): Process[] {
  const lines = execFileSync("ps", ["-eo", "pid=,ppid=,time=,args="], { maxBuffer: 64 * 1024 * 1024 })
    .toString()
    .split("\n");
  return lines.flatMap((line) => {
    const [, pid, parent, time = "", command = ""] = /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(.*)$/.exec(line) ?? [];
    return pid ? [{ pid: Number(pid), parent: Number(parent), seconds: secondsOf(time), command }] : [];
  });
}

/** Of [days-][hours:]minutes:seconds. */
const secondsOf = (time: string) =>
  time
    .split(/[-:]/)
    .reduce(
      (seconds, part, index) => seconds * (time.includes("-") && index === 1 ? 24 : 60) + Number(part),
      0,
    );

/** The processor time that a process and its descendants have used. */
export function processorSecondsOf(pid: number): number {
  const processes = allProcesses();
  const own = processes.filter((process) => process.pid === pid);
  return [...own, ...descendantsOf(pid, processes)].reduce(
    (sum, { seconds }) => sum + Math.floor(seconds),
    0,
  );
}

/** The descendants of a process, without itself. */
export function descendantsOf(pid: number, processes = allProcesses()): Process[] {
  const found: Process[] = [];
  let parents = new Set([pid]);
  while (parents.size > 0) {
    const children = processes.filter((process) => parents.has(process.parent));
    found.push(...children);
    parents = new Set(children.map((process) => process.pid));
  }
  return found;
}

import { spawn } from "node:child_process";
import { once } from "node:events";
import { processorSecondsOf } from "./processes.ts";
import { until } from "./until.ts";

/** A running command of the README, in a separate process group. */
export function startCommand(name: string, args: readonly string[], env: Record<string, string>) {
  const { PATH, HOME } = process.env;
  const child = spawn("npm", ["run", "--silent", name, "--", ...args], {
    env: { NODE_ENV: "production", PATH, HOME, ...env },
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk: Buffer) => {
      output += chunk;
    });
  const isRunning = () => child.exitCode === null && child.signalCode === null;
  const progress = () => [output, child.pid && processorSecondsOf(child.pid)];
  return {
    output: () => output,
    /** Kills all its processes with -9 as soon as `moment` is true; false if it ended before. */
    async killAt(moment: () => boolean | Promise<boolean>): Promise<boolean> {
      await until(async () => !isRunning() || (await moment()), {
        everyMs: 5,
        what: "moment to kill",
        progress,
      });
      if (!isRunning() || child.pid === undefined) return false;
      const exited = once(child, "exit");
      process.kill(-child.pid, "SIGKILL");
      await exited;
      return true;
    },
    /** Resolves with its output; rejects with that if it failed. */
    async end(): Promise<string> {
      await until(() => !isRunning(), { everyMs: 50, what: `end of ${name}`, progress });
      if (child.exitCode !== 0) throw new Error(`${name} ended with ${child.exitCode}: ${output}`);
      return output;
    },
  };
}

export type Command = ReturnType<typeof startCommand>;

import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";
import { processorSecondsOf } from "../../../../tests/helpers/processes.ts";
import { until } from "../../../../tests/helpers/until.ts";

export interface ServerProcess {
  url: string;
  /** SIGKILL: it cannot write anything more. */
  kill(): Promise<void>;
}

interface ServerOptions {
  port?: number;
  /** None of its files grows beyond this: a write beyond that fails. */
  fileKb?: number;
  /** What is killed a moment before this one serves, so that it is missed for milliseconds on a slow machine as well. */
  replaces?: ServerProcess;
}

/** The server in another process, on a free port unless one is given. It ends with the test. */
export async function spawnServer(
  dataDir: string,
  { port = 0, fileKb, replaces }: ServerOptions = {},
): Promise<ServerProcess> {
  const script = fileURLToPath(new URL("./server-process.ts", import.meta.url));
  const args = ["--import", "tsx", script, dataDir, String(port)];
  const limited = ["-c", `trap "" XFSZ; ulimit -f ${fileKb}; exec "$0" "$@"`, process.execPath, ...args];
  const [command, ...rest] = fileKb === undefined ? [process.execPath, ...args] : ["bash", ...limited];
  const child = spawn(command, rest, { stdio: ["pipe", "pipe", "inherit"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  const lines: string[] = [];
  createInterface(child.stdout).on("line", (line) => lines.push(line));
  const line = (index: number) =>
    until(() => lines[index], {
      what: "server",
      progress: () => child.pid && processorSecondsOf(child.pid),
    });
  await line(0);
  await replaces?.kill();
  child.stdin.write("serve\n");
  return {
    url: await line(1),
    async kill() {
      const exited = new Promise((resolve) => child.once("exit", resolve));
      child.kill("SIGKILL");
      await exited;
    },
  };
}

import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";
import { processorSecondsOf } from "../../../../tests/stack/processes.ts";
import { until } from "../../../../tests/until.ts";

export interface ServerProcess {
  url: string;
  /** SIGKILL: it cannot write anything more. */
  kill(): Promise<void>;
}

/**
 * The server in another process, on a free port unless one is given. It ends with the test. None of its files grows
 * beyond `fileKb`: a write beyond that fails.
 */
export async function spawnServer(
  dataDir: string,
  { port = 0, fileKb }: { port?: number; fileKb?: number } = {},
): Promise<ServerProcess> {
  const script = fileURLToPath(new URL("./server-process.ts", import.meta.url));
  const args = ["--import", "tsx", script, dataDir, String(port)];
  const limited = ["-c", `trap "" XFSZ; ulimit -f ${fileKb}; exec "$0" "$@"`, process.execPath, ...args];
  const [command, ...rest] = fileKb === undefined ? [process.execPath, ...args] : ["bash", ...limited];
  const child = spawn(command, rest, { stdio: ["ignore", "pipe", "inherit"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  if (!child.stdout) throw new Error("no output");
  let url: string | undefined;
  createInterface(child.stdout).once("line", (line) => (url = line));
  return {
    url: await until(() => url, {
      what: "server",
      progress: () => child.pid && processorSecondsOf(child.pid),
    }),
    async kill() {
      const exited = new Promise((resolve) => child.once("exit", resolve));
      child.kill("SIGKILL");
      await exited;
    },
  };
}

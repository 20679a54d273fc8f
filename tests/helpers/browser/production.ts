import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { promisify } from "node:util";
import { freePorts } from "../free-ports.ts";
import { until } from "../until.ts";

const next = (folder: string) => join(folder, "node_modules/next/dist/bin/next");

function environment(variables: Record<string, string>): NodeJS.ProcessEnv {
  const { PATH, HOME } = process.env;
  return { NODE_ENV: "production", PATH, HOME, NEXT_TELEMETRY_DISABLED: "1", ...variables };
}

/** Runs `next build` in a folder. It needs none of the product's variables. */
export async function buildApp(folder: string): Promise<void> {
  await promisify(execFile)(process.execPath, [next(folder), "build"], { cwd: folder, env: environment({}) });
}

/** Runs `next start` in a built folder, on a free loopback port. */
export async function startApp(folder: string, variables: Record<string, string>) {
  const [port = 0] = await freePorts(1);
  const url = `http://127.0.0.1:${port}`;
  const child = spawn(process.execPath, [next(folder), "start", "-H", "127.0.0.1", "-p", String(port)], {
    cwd: folder,
    env: environment(variables),
    stdio: "pipe",
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk) => {
      output += chunk;
    });
  await until(
    () => {
      if (child.exitCode !== null) throw new Error(`next start ended:\n${output}`);
      return fetch(`${url}/api/create-embedding-for-post`).catch(() => undefined);
    },
    { what: "next start to answer" },
  );
  return {
    url,
    pid: child.pid ?? 0,
    output: () => output,
    isRunning: () => child.exitCode === null && child.signalCode === null,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, "exit");
      child.kill();
      await exited;
    },
  };
}

import { spawn } from "node:child_process";
import { once } from "node:events";
import { until } from "../until.ts";

const cli = new URL("../../../packages/aftercommit/cli/aftercommit.ts", import.meta.url).pathname;

// What Next.js does when a server starts.
const register = 'void import("./instrumentation.ts").then(({ register }) => register())';

/** `npx aftercommit capture` as a process. */
export const startCapture = (env: Record<string, string>, ...args: string[]) =>
  startProcess([cli, "capture", ...args], env);

/** A server of the app that captures, as far as instrumentation.ts starts it. */
export const startServer = (env: Record<string, string>) =>
  startProcess(["--eval", register], { NEXT_RUNTIME: "nodejs", CAPTURE_IN_APP: "on", ...env });

function startProcess(args: readonly string[], env: Record<string, string>) {
  const { PATH, HOME } = process.env;
  const child = spawn(process.execPath, ["--import", "tsx", ...args], {
    env: {
      NODE_ENV: "production",
      PATH,
      HOME,
      TRIGGER_SECRET_KEY: "tr_dev_capture",
      USER_DELETION_WEBHOOK_URLS: "none",
      SEQUIN_WEBHOOK_SECRET: "of the routes",
      ...env,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk: Buffer) => {
      output += chunk;
    });
  const exited = once(child, "exit");
  const isRunning = () => child.exitCode === null && child.signalCode === null;
  const logged = (event: string) => output.includes(`"event":"${event}"`);
  return {
    pid: child.pid ?? 0,
    output: () => output,
    logged,
    /** Resolves when it has logged an event; rejects if it ends before. */
    async hasLogged(event: string): Promise<void> {
      await until(() => logged(event) || !isRunning(), { what: event, progress: () => output });
      if (!logged(event)) throw new Error(`capture ended: ${output}`);
    },
    async kill(): Promise<void> {
      child.kill("SIGKILL");
      await exited;
    },
    /** Stops it like a service manager. Resolves with its exit code. */
    async stop(): Promise<number | null> {
      child.kill("SIGTERM");
      await exited;
      return child.exitCode;
    },
    /** Resolves with its exit code and output when it ends by itself. */
    async end() {
      await exited;
      return { code: child.exitCode, output };
    },
  };
}

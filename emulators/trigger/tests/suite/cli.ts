import { type ChildProcess, spawn } from "node:child_process";
import { cp, mkdtemp, rm, symlink } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { processorSecondsOf } from "../../../../tests/helpers/processes.ts";
import { until } from "../../../../tests/helpers/until.ts";

const root = fileURLToPath(new URL("../../../..", import.meta.url));
const cliPackage = createRequire(import.meta.url).resolve("trigger.dev/package.json");
const cliEntry = path.join(path.dirname(cliPackage), "dist/esm/index.js");
const offline = new URL("../../offline.mjs", import.meta.url).href;

export interface Target {
  apiUrl: string;
  secretKey: string;
  accessToken: string;
  projectRef: string;
}

/** A copy of the scratch project, with this repository's packages. */
export async function copyProject(): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), "trigger-suite-"));
  await cp(fileURLToPath(new URL("../project", import.meta.url)), folder, { recursive: true });
  await symlink(path.join(root, "node_modules"), path.join(folder, "node_modules"));
  return folder;
}

export interface Cli {
  /** Everything the CLI has printed. */
  output(): string;
  /** How many versions it has registered, or found registered. */
  versions(): number;
  /** Kills it like a crash, without a chance to clean up. */
  kill(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts the real CLI in a project and waits until its tasks can run. */
export async function startCli(project: string, target: Target): Promise<Cli> {
  const child = spawn(process.execPath, [cliEntry, "dev"], {
    cwd: project,
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      NODE_ENV: "development",
      PATH: process.env.PATH,
      HOME: path.join(project, "home"),
      TRIGGER_API_URL: target.apiUrl,
      TRIGGER_ACCESS_TOKEN: target.accessToken,
      TRIGGER_PROJECT_REF: target.projectRef,
      NODE_OPTIONS: `--import ${offline}`,
    },
  });
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => (output += chunk));
  child.stderr.on("data", (chunk: Buffer) => (output += chunk));
  const versions = () => output.match(/Local worker ready/g)?.length ?? 0;
  await until(() => versions() > 0 || child.exitCode !== null, {
    what: "worker of the CLI",
    progress: () => [output, child.pid && processorSecondsOf(child.pid)],
  });
  if (child.exitCode !== null) throw new Error(`the CLI ended with ${child.exitCode}: ${output}`);
  return {
    output: () => output,
    versions,
    kill: () => end(child, "SIGKILL"),
    stop: () => end(child, "SIGTERM"),
  };
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = new Promise((resolve) => child.once("exit", resolve));
  child.kill(signal);
  await exited;
}

export async function removeProject(project: string): Promise<void> {
  await rm(project, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
}

import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { promisify } from "node:util";
import pg from "pg";
import { freePorts } from "../free-ports.ts";
import { descendantsOf, type Process, processorSecondsOf } from "../processes.ts";
import { until } from "../until.ts";

export type Ports = { app: number; postgres: number; http: number; smtp: number };

export async function choosePorts(): Promise<Ports> {
  const [app = 0, postgres = 0, http = 0, smtp = 0] = await freePorts(4);
  return { app, postgres, http, smtp };
}

/** An option of Node.js for processes that run PGlite. */
export const SHORT_LIVED = `--import=${new URL("./short-lived.mjs", import.meta.url).href}`;

/** What the user's shell would pass on: none of the product's variables, and these ports. */
function environment(ports: Ports, extra: Record<string, string>): NodeJS.ProcessEnv {
  const { PATH, HOME } = process.env;
  return {
    NODE_ENV: "development",
    PATH,
    HOME,
    NODE_OPTIONS: SHORT_LIVED,
    PORT: String(ports.app),
    LOCAL_POSTGRES_PORT: String(ports.postgres),
    LOCAL_PORT: String(ports.http),
    LOCAL_SMTP_PORT: String(ports.smtp),
    ...extra,
  };
}

/** `npm run dev` in a folder, as a user starts it, in a separate process group like a terminal's. */
export class DevStack {
  readonly ports: Ports;
  readonly folder: string;
  #env: NodeJS.ProcessEnv;
  #npm: ChildProcess;
  #output = "";

  constructor(folder: string, ports: Ports, extra: Record<string, string> = {}) {
    this.folder = folder;
    this.ports = ports;
    this.#env = environment(ports, extra);
    this.#npm = spawn("npm", ["run", "dev"], { cwd: folder, env: this.#env, detached: true, stdio: "pipe" });
    for (const stream of [this.#npm.stdout, this.#npm.stderr])
      stream?.on("data", (chunk) => {
        this.#output += chunk;
      });
  }

  get output(): string {
    return this.#output;
  }

  get databaseUrl(): string {
    const [url] = /postgres:\/\/\S+/.exec(this.#output) ?? [];
    if (!url) throw new Error(`No DATABASE_URL in the table:\n${this.#output}`);
    return url;
  }

  /** Resolves when the ready line is printed. Rejects with the output if the command ends before. */
  async ready(): Promise<void> {
    await until(
      () => {
        if (this.#ended()) throw new Error(`npm run dev ended:\n${this.#output}`);
        return /^ready/m.test(this.#output);
      },
      { what: "ready line", progress: () => this.progress() },
    );
  }

  /** A value that changes while something starts. */
  progress(): unknown {
    return [this.#output, this.#npm.pid && processorSecondsOf(this.#npm.pid)];
  }

  processes(): Process[] {
    return this.#npm.pid ? descendantsOf(this.#npm.pid) : [];
  }

  /** The first process below this command whose command line matches. */
  async find(pattern: RegExp): Promise<Process> {
    return until(() => this.processes().find(({ command }) => pattern.test(command)), {
      everyMs: 200,
      what: `process like ${pattern}`,
      progress: () => this.progress(),
    });
  }

  /** Runs a command of the README, and returns what it printed. */
  async command(name: string, ...args: string[]): Promise<string> {
    const run = promisify(execFile);
    const { stdout } = await run("npm", ["run", "--silent", name, "--", ...args], {
      cwd: this.folder,
      env: this.#env,
    });
    return stdout;
  }

  sql(text: string): Promise<string> {
    return this.command("sql", text);
  }

  /** Queries the database over its wire, like any client. */
  async query<T extends pg.QueryResultRow>(text: string, values: unknown[] = []): Promise<T[]> {
    const client = new pg.Client({ connectionString: this.databaseUrl });
    client.on("error", () => {});
    try {
      await client.connect();
      return (await client.query<T>(text, values)).rows;
    } finally {
      await client.end().catch(() => {});
    }
  }

  /** Presses Ctrl-C and resolves when the command has ended. */
  async interrupt(): Promise<void> {
    if (this.#ended()) return;
    const exited = once(this.#npm, "exit");
    if (this.#npm.pid) process.kill(-this.#npm.pid, "SIGINT");
    await exited;
  }

  #ended(): boolean {
    return this.#npm.exitCode !== null || this.#npm.signalCode !== null;
  }
}

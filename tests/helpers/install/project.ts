import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { promisify } from "node:util";
import pg from "pg";
import { ROOT } from "../documents.ts";
import { freePorts } from "../free-ports.ts";
import { descendantsOf, processorSecondsOf } from "../processes.ts";
import { type Ports, SHORT_LIVED } from "../stack/dev-stack.ts";
import { until } from "../until.ts";

const run = promisify(execFile);
const TSX = join(ROOT, "node_modules/tsx/dist/loader.mjs");
/** The Trigger.dev CLI that npx would download. */
const TRIGGER_CLI = join(ROOT, "node_modules/trigger.dev/dist/esm/index.js");

/** Someone's project, with the local stack's database and services. */
export class Project {
  readonly folder: string;
  readonly ports: Ports;
  #env: NodeJS.ProcessEnv;
  #children: ChildProcess[] = [];
  #output = "";

  constructor(folder: string, ports: Ports, variables: Record<string, string> = {}) {
    this.folder = folder;
    this.ports = ports;
    const { PATH, HOME } = process.env;
    const http = `http://127.0.0.1:${ports.http}`;
    // What a person puts into .env.local; here, the addresses of the local stack.
    this.#env = {
      PATH,
      HOME,
      NODE_ENV: "development",
      PORT: String(ports.app),
      LOCAL_POSTGRES_PORT: String(ports.postgres),
      LOCAL_SMTP_PORT: String(ports.smtp),
      LOCAL_EMBEDDING_MODEL: "hashing",
      DATABASE_URL: `postgres://postgres:postgres@127.0.0.1:${ports.postgres}/postgres`,
      SEQUIN_WEBHOOK_SECRET: "of-this-test",
      APP_URL: `http://127.0.0.1:${ports.app}`,
      TRIGGER_SECRET_KEY: "tr_dev_local",
      TRIGGER_ACCESS_TOKEN: "tr_pat_local",
      TRIGGER_PROJECT_REF: "proj_local",
      TRIGGER_API_URL: http,
      OPENAI_API_KEY: "local",
      OPENAI_BASE_URL: `${http}/v1`,
      EMBEDDING_MODEL: "hashing",
      SMTP_URL: `smtp://127.0.0.1:${ports.smtp}`,
      MAIL_FROM: "Shop <no-reply@example.com>",
      USER_DELETION_WEBHOOK_URLS: `crm=${http}/local/external-system/crm/user-deleted`,
      USER_DELETION_WEBHOOK_SECRET: `whsec_${Buffer.alloc(32, 7).toString("base64")}`,
      ...variables,
    };
  }

  /** Starts a command that keeps running. Resolves when it has printed that it is ready. */
  async start(ready: RegExp, command: string, args: readonly string[], extra = {}): Promise<void> {
    const env = { ...this.#env, ...extra };
    const child = spawn(command, args, { cwd: this.folder, env, detached: true, stdio: "pipe" });
    this.#children.push(child);
    let output = "";
    for (const stream of [child.stdout, child.stderr])
      stream?.on("data", (chunk) => {
        output += chunk;
        this.#output += chunk;
      });
    await until(
      () => {
        if (child.exitCode !== null) throw new Error(`${command} ${args.join(" ")} ended:\n${output}`);
        return ready.test(output);
      },
      { what: `${command} ${args.join(" ")}`, progress: () => [output, processorSecondsOf(child.pid ?? 0)] },
    );
  }

  /** Starts parts of the local stack, on separate ports. */
  async startLocal(parts: readonly string[], port = this.ports.http): Promise<void> {
    const args = ["--import", TSX, join(ROOT, "emulators/stack/main.ts"), ...parts];
    await this.start(/^ready/m, process.execPath, args, {
      LOCAL_PORT: String(port),
      NODE_OPTIONS: SHORT_LIVED,
    });
  }

  /** Runs a command to its end, as a person would in the app's folder. */
  async run(command: string, ...args: string[]): Promise<string> {
    const { stdout } = await run(command, args, { cwd: this.folder, env: this.#env });
    return stdout;
  }

  get output(): string {
    return this.#output;
  }

  async query<T extends pg.QueryResultRow>(text: string, values: unknown[] = []): Promise<T[]> {
    const client = new pg.Client({ connectionString: this.#env.DATABASE_URL });
    await client.connect();
    try {
      return (await client.query<T>(text, values)).rows;
    } finally {
      await client.end();
    }
  }

  startTasks(): Promise<void> {
    return this.start(/Local worker ready/, process.execPath, [TRIGGER_CLI, "dev", "--skip-update-check"]);
  }

  /** Starts what sends the rows that are there, and then every change. */
  async startSequin(): Promise<void> {
    await this.startLocal(["sequin"], (await freePorts(1))[0]);
  }

  /** Ends everything that was started, in reverse order. */
  async stop(): Promise<void> {
    for (const child of this.#children.toReversed()) {
      if (child.exitCode !== null || child.signalCode !== null || !child.pid) continue;
      const others = descendantsOf(child.pid);
      const exited = once(child, "exit");
      process.kill(-child.pid, "SIGINT");
      await Promise.race([exited, new Promise((done) => setTimeout(done, 15_000).unref())]);
      for (const { pid } of [...others, { pid: child.pid }])
        try {
          process.kill(pid, "SIGKILL");
        } catch {
          // It has ended.
        }
    }
  }
}

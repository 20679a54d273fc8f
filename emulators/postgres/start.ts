import { setTimeout as delay } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import type { Log } from "@aftercommit/local-shared/log.ts";
import { lockFolder } from "./folder-lock.ts";
import { type ThreadData, threadMessageSchema } from "./thread-protocol.ts";

export type PostgresOptions = {
  /** Null keeps everything in memory. */
  dataDir: string | null;
  host: string;
  /** 0 uses any free port. */
  port: number;
  /** How long a client may stay idle in an open transaction; 60,000 by default. */
  idleInTransactionMs?: number;
  /** 256 MiB by default. */
  maxMessageBytes?: number;
  log: Log;
};

export type Postgres = { url: string; port: number; close(): Promise<void> };

const restartMs = 1_000;

type Thread = { worker: Worker; port: number; exited: Promise<void> };

// Recursion in WebAssembly fills V8's stack before Postgres reaches its own max_stack_depth; only used pages cost
// memory.
const stackSizeMb = 256;

/**
 * Starts Postgres 18 with pgvector (PGlite) in a thread, for any number of simultaneous clients, which take turns on
 * one session. If a statement crashes the engine, all connections end, and it restarts with what is on disk. Rejects
 * with FolderInUseError, or with the system's error if the port is taken.
 */
export async function startPostgres(options: PostgresOptions): Promise<Postgres> {
  const { dataDir, host, log } = options;
  const unlock = dataDir === null ? async () => {} : await lockFolder(dataDir);
  let closing = false;
  let restarting: Promise<void> | null = null;
  let thread: Thread | null = null;

  async function start(port: number): Promise<Thread> {
    const { idleInTransactionMs = 60_000, maxMessageBytes = 256 * 1024 * 1024 } = options;
    const started = await startThread(
      { folder: dataDir, host, port, idleInTransactionMs, maxMessageBytes },
      log,
    );
    void started.exited.then(() => {
      if (!closing) restarting = restart(started.port);
    });
    thread = started;
    return started;
  }

  async function restart(port: number): Promise<void> {
    while (!closing) {
      log(dataDir === null ? "starting again, empty" : "starting again");
      try {
        await start(port);
        return;
      } catch {
        await delay(restartMs);
      }
    }
  }

  try {
    const { port } = await start(options.port);
    return {
      url: `postgres://postgres:postgres@${host}:${port}/postgres`,
      port,
      async close() {
        closing = true;
        await restarting;
        thread?.worker.postMessage("close");
        await thread?.exited;
        await unlock();
      },
    };
  } catch (error) {
    await unlock();
    throw error;
  }
}

function startThread(workerData: ThreadData, log: Log): Promise<Thread> {
  const worker = new Worker(new URL("./thread-entry.mjs", import.meta.url), {
    workerData,
    execArgv: [],
    resourceLimits: { stackSizeMb },
  });
  const exited = new Promise<void>((resolve) => worker.once("exit", () => resolve()));
  return new Promise((resolve, reject) => {
    worker.on("error", (error) => {
      log(`stopped: ${error.message}`);
      reject(error);
    });
    worker.once("exit", (code) => reject(new Error(`the thread ended with ${code}`)));
    worker.on("message", (data) => {
      const message = threadMessageSchema.parse(data);
      if (message.kind === "log") log(message.line);
      if (message.kind === "crashed") log(`crashed: ${message.reason}`);
      if (message.kind === "listening") resolve({ worker, port: message.port, exited });
    });
  });
}

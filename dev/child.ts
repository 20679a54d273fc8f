import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { say } from "@aftercommit/local-stack/terminal.ts";
import { deferred } from "./deferred.ts";

export type ChildOptions = {
  name: string;
  /** Arguments for this Node.js. */
  args: readonly string[];
  env: NodeJS.ProcessEnv;
  /** Receives each line that the process prints. */
  onLine: (line: string) => void;
  /** Receives each message that the process sends over the channel of `child_process`, and a function to answer. */
  onMessage?: (message: unknown, reply: (message: string) => void) => void;
  beforeStart?: () => Promise<void>;
  /** The signal that ends it. Default: SIGTERM. */
  stopSignal?: NodeJS.Signals;
};

export type Child = {
  /** Resolves at the first call of `serving`; rejects if the process ends before. */
  serves: Promise<void>;
  serving(): void;
  /** Ends the process, which then starts again. */
  restart(): void;
  stop(): Promise<void>;
};

const FIRST_DELAY_MS = 250;
const LONGEST_DELAY_MS = 10_000;
const STEADY_MS = 30_000;

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  try {
    if (child.pid) process.kill(-child.pid, signal);
  } catch {
    // The group has already ended.
  }
}

async function end(child: ChildProcess, exited: Promise<unknown>, signal: NodeJS.Signals): Promise<void> {
  child.kill(signal);
  await Promise.race([exited, sleep(8_000, undefined, { ref: false })]);
  signalGroup(child, "SIGKILL");
  await exited;
}

/**
 * Starts a Node.js process in a new process group, so that Ctrl-C reaches only `npm run dev`, which ends its children
 * in order. If the process ends by itself after it has served, it is restarted, after a delay that doubles from 250 ms
 * to 10 s.
 */
export function superviseChild(options: ChildOptions): Child {
  const stopping = new AbortController();
  const first = deferred<void>();
  let hasServed = false;
  let current: ChildProcess | undefined;

  async function runOnce(): Promise<string> {
    const child = spawn(process.execPath, [...options.args], {
      env: options.env,
      detached: true,
      stdio: ["ignore", "pipe", "pipe", options.onMessage ? "ipc" : "ignore"],
    });
    child.on("message", (message) => options.onMessage?.(message, (reply) => child.send(reply)));
    for (const stream of [child.stdout, child.stderr]) {
      if (!stream) continue;
      createInterface({ input: stream }).on("line", options.onLine);
    }
    current = child;
    const exited = once(child, "exit");
    const stop = () => void end(child, exited, options.stopSignal ?? "SIGTERM");
    stopping.signal.addEventListener("abort", stop, { once: true });
    if (stopping.signal.aborted) stop();
    const [code, signal] = await exited;
    stopping.signal.removeEventListener("abort", stop);
    // Its children may outlive it.
    signalGroup(child, "SIGKILL");
    return signal ? `signal ${signal}` : `code ${code}`;
  }

  async function keepRunning(): Promise<void> {
    let delay = FIRST_DELAY_MS;
    while (!stopping.signal.aborted) {
      await options.beforeStart?.();
      const started = Date.now();
      const how = await runOnce();
      if (stopping.signal.aborted) return;
      if (!hasServed) return first.reject(new Error(`${options.name} did not start (${how})`));
      if (Date.now() - started > STEADY_MS) delay = FIRST_DELAY_MS;
      say("dev", `${options.name} ended (${how}); starting it again`);
      await sleep(delay, undefined, { signal: stopping.signal }).catch(() => undefined);
      delay = Math.min(delay * 2, LONGEST_DELAY_MS);
    }
  }

  const finished = keepRunning();
  return {
    serves: first.promise,
    serving() {
      hasServed = true;
      first.resolve();
    },
    restart() {
      if (current) signalGroup(current, "SIGKILL");
    },
    async stop() {
      stopping.abort();
      await finished;
    },
  };
}

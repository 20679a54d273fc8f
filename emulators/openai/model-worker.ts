import { Worker } from "node:worker_threads";
import type { Log } from "@aftercommit/local-shared/log.ts";
import type { Answer, Counted, Embedded, Input, Job, ModelName, Refused, Reply } from "./protocol.ts";

/** Both reject if the worker dies before it has answered, or cannot be started. */
export type Embedder = {
  count(inputs: Input[]): Promise<Counted | Refused>;
  /** Embeds inputs whose tokens were counted and accepted. */
  embed(inputs: Input[]): Promise<Embedded>;
  close(): Promise<void>;
};

type Running = { ask(kind: Job["kind"], inputs: Input[]): Promise<Answer>; worker: Worker };
type Waiting = { resolve(reply: Answer): void; reject(error: Error): void };

/**
 * Runs the model in a thread, so that the HTTP server stays responsive. Resolves when the model is loaded. A thread
 * that dies is restarted, and later calls wait for it. If it cannot load, the next call tries again.
 */
export async function startModelWorker(options: {
  model: ModelName;
  log: Log;
  script?: URL;
}): Promise<Embedder> {
  const { model, log, script = new URL("./worker-entry.mjs", import.meta.url) } = options;
  let closed = false;
  let current: Promise<Running> | undefined;

  function run(): Promise<Running> {
    const started = startThread(script, model, (cause, wasReady) => {
      current = undefined;
      if (closed) return;
      log(`model worker ended: ${cause}`);
      if (wasReady) void run().then(() => log("model worker started again"), ignore);
    });
    current = started;
    return started;
  }

  async function ask(kind: Job["kind"], inputs: Input[]): Promise<Answer> {
    if (closed) throw new Error("The model worker is closed");
    return (await (current ?? run())).ask(kind, inputs);
  }

  await run();
  return {
    async count(inputs) {
      const answer = await ask("count", inputs);
      if (answer.kind === "embedded") throw new Error("The model worker embedded what it was to count");
      return answer;
    },
    async embed(inputs) {
      const answer = await ask("embed", inputs);
      if (answer.kind !== "embedded") throw new Error("The model worker embedded nothing");
      return answer;
    },
    async close() {
      closed = true;
      const running = await current?.catch(() => undefined);
      await running?.worker.terminate();
    },
  };
}

function startThread(
  script: URL,
  model: ModelName,
  onEnd: (cause: string, wasReady: boolean) => void,
): Promise<Running> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(script, { workerData: { model }, execArgv: [] });
    const waiting = new Map<number, Waiting>();
    let lastId = 0;
    let ready = false;
    let cause: string | undefined;

    const ask: Running["ask"] = (kind, inputs) =>
      new Promise((resolve, reject) => {
        const job: Job = { id: ++lastId, kind, inputs };
        waiting.set(job.id, { resolve, reject });
        worker.postMessage(job);
      });

    worker.on("message", (reply: Reply) => {
      if (reply.kind === "ready") {
        ready = true;
        resolve({ ask, worker });
        return;
      }
      waiting.get(reply.id)?.resolve(reply);
      waiting.delete(reply.id);
    });
    worker.on("error", (error: Error) => {
      cause = error.message;
    });
    worker.on("exit", (code) => {
      const ended = cause ?? `exit code ${code}`;
      onEnd(ended, ready);
      const error = new Error(`The model worker ended: ${ended}`);
      for (const job of waiting.values()) job.reject(error);
      reject(error);
    });
  });
}

function ignore(): void {}

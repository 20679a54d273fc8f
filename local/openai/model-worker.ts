import { Worker } from "node:worker_threads";
import type { Log } from "../log.ts";
import type { Embedded, Input, Job, ModelName, Refused, Reply } from "./protocol.ts";

export type Embedder = {
  /** Rejects when the worker dies before it has answered, or cannot be started. */
  embed(inputs: Input[]): Promise<Embedded | Refused>;
  close(): Promise<void>;
};

type Running = { embed: Embedder["embed"]; worker: Worker };
type Waiting = { resolve(reply: Embedded | Refused): void; reject(error: Error): void };

/**
 * Runs the model in a thread of its own, so that the HTTP server stays free. Resolves when the model is loaded.
 * A thread that dies is started again; calls made meanwhile wait for it. One that cannot load is tried again by
 * the next call.
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

  await run();
  return {
    async embed(inputs) {
      if (closed) throw new Error("The model worker is closed");
      return (await (current ?? run())).embed(inputs);
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

    const embed: Embedder["embed"] = (inputs) =>
      new Promise((resolve, reject) => {
        const job: Job = { id: ++lastId, inputs };
        waiting.set(job.id, { resolve, reject });
        worker.postMessage(job);
      });

    worker.on("message", (reply: Reply) => {
      if (reply.kind === "ready") {
        ready = true;
        resolve({ embed, worker });
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

import type { Log } from "@aftercommit/local-shared/log.ts";
import { Hono } from "hono";
import { createApp } from "./app.ts";
import { type Calls, createCalls } from "./calls.ts";
import { startModelWorker } from "./model-worker.ts";
import type { ModelName } from "./protocol.ts";
import type { RateLimits } from "./rate-limits.ts";

export type OpenAIOptions = {
  model: ModelName;
  log: Log;
  apiKey?: string;
  /** The limits per minute, enforced like OpenAI's. Default: none. */
  limits?: RateLimits;
};

/**
 * Starts `POST /v1/embeddings` with OpenAI's protocol and a local model, and resolves when the model is loaded. Mount
 * `app` on any server. With `apiKey`, only that key is accepted. Rejects if the model cannot be loaded.
 */
export async function startOpenAI(
  options: OpenAIOptions,
): Promise<{ app: Hono; stats: Calls["stats"]; close(): Promise<void> }> {
  const { model, log, apiKey, limits } = options;
  const started = performance.now();
  const embedder = await startModelWorker({ model, log });
  log(`${model} loaded in ${Math.round(performance.now() - started)} ms`);
  const closing = new AbortController();
  const calls = createCalls();
  const app = new Hono().route(
    "/",
    createApp({ embedder, model, log, apiKey, limits, closing: closing.signal, calls }),
  );
  return {
    app,
    stats: calls.stats,
    async close() {
      closing.abort();
      await embedder.close();
    },
  };
}

import { randomUUID } from "node:crypto";
import { setTimeout } from "node:timers/promises";
import { faultRoutes } from "@aftercommit/local-shared/fault-routes.ts";
import type { Log } from "@aftercommit/local-shared/log.ts";
import { refuseOtherOrigins } from "@aftercommit/local-shared/refuse-other-origins.ts";
import { type Context, Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { createMiddleware } from "hono/factory";
import { z } from "zod";
import { ApiError, serverError } from "./api-error.ts";
import { authorize } from "./authorize.ts";
import { type Calls, createCalls } from "./calls.ts";
import { answerInstead, createFaults, type Fault, faultSchema, spoil } from "./faults.ts";
import type { Embedder } from "./model-worker.ts";
import type { ModelName } from "./protocol.ts";
import { createRateLimits, type RateLimits } from "./rate-limits.ts";
import { parseRequest, refusal } from "./request.ts";
import { resize } from "./unit-length.ts";

type Env = { Variables: { inputs: number; tokens: number } };

const MAX_BODY_BYTES = 32 * 1024 * 1024;

/** The body of `POST /local/openai/limits`: how many tokens are left of this minute. */
const limitsSchema = z.strictObject({ tokensLeft: z.int().min(0) });

/**
 * OpenAI's `POST /v1/embeddings`, and `/local/openai/faults`, `/limits` and `/stats` for tests and demonstrations.
 * `closing` ends running delays.
 */
export function createApp(options: {
  embedder: Embedder;
  /** The name of the local model. */
  model: ModelName;
  log: Log;
  apiKey?: string;
  closing: AbortSignal;
  /** The limits per minute. Default: none. */
  limits?: RateLimits;
  /** Counts the requests. */
  calls?: Calls;
}): Hono<Env> {
  const { embedder, model: served, log, apiKey, closing, limits = {}, calls = createCalls() } = options;
  const faults = createFaults();
  const rateLimits = createRateLimits(limits);
  const app = new Hono<Env>();

  app.onError((error) => {
    if (error instanceof ApiError) return error.toResponse();
    log(`call failed: ${error.message}`);
    return serverError().toResponse();
  });

  const observe = createMiddleware<Env>(async (c, next) => {
    const started = performance.now();
    await next();
    const milliseconds = Math.round(performance.now() - started);
    const { inputs = 0, tokens = 0 } = c.var;
    const { status } = c.res;
    c.header("x-request-id", `req_${randomUUID().replaceAll("-", "")}`);
    c.header("openai-processing-ms", `${milliseconds}`);
    for (const [name, value] of Object.entries(rateLimits.headers())) c.header(name, value);
    calls.add({ at: new Date().toISOString(), status, inputs, tokens, milliseconds });
    log(
      status < 400 && c.var.inputs
        ? `embedded ${plural(inputs, "input")}, ${plural(tokens, "token")} in ${milliseconds} ms`
        : `answered ${[status, codeOf(c.error)].join(" ").trim()} in ${milliseconds} ms`,
    );
  });

  const limit = bodyLimit({
    maxSize: MAX_BODY_BYTES,
    onError: () => new ApiError(413, { message: "The request body is too large." }).toResponse(),
  });

  app.post("/v1/embeddings", observe, limit, async (c) => {
    authorize(c.req.header("authorization"), apiKey);
    const { model, inputs, dimensions, encoding } = parseRequest(await c.req.text(), served);
    const fault = faults.take(inputs);
    await wait(c, fault);
    const instead = fault && answerInstead(inputs, fault);
    if (instead) return instead;
    const counted = await embedder.count(inputs);
    if (counted.kind === "refused") throw refusal(counted);
    const { tokens } = counted;
    rateLimits.take(model, tokens);
    const { vectors } = await embedder.embed(inputs);
    const made = vectors.map((vector, index) => ({
      object: "embedding",
      index,
      embedding: resize(vector, dimensions),
    }));
    const { items, good } = spoil(inputs, made, fault);
    c.set("inputs", good);
    c.set("tokens", tokens);
    const data = items.map((item) => ({ ...item, embedding: encode(item.embedding, encoding) }));
    const usage = { prompt_tokens: tokens, total_tokens: tokens };
    return c.json({ object: "list", data, model, usage });
  });

  async function wait(c: Context<Env>, { delayMs }: Fault = {}): Promise<void> {
    const stopped = AbortSignal.any([closing, c.req.raw.signal]);
    if (delayMs !== undefined) await setTimeout(delayMs, undefined, { signal: stopped });
  }

  app.use("/local/openai/*", refuseOtherOrigins);
  app.route("/local/openai/faults", faultRoutes(faultSchema, faults));
  app.post("/local/openai/limits", async (c) => {
    const state = limitsSchema.safeParse(await c.req.json().catch(() => undefined));
    if (!state.success) return c.json({ error: z.prettifyError(state.error) }, 400);
    rateLimits.leaveTokens(state.data.tokensLeft);
    return c.body(null, 204);
  });
  app.get("/local/openai/stats", (c) => c.json(calls.stats()));

  return app;
}

function encode(vector: Float32Array, encoding: "float" | "base64"): string | number[] {
  if (encoding === "float") return Array.from(vector);
  return Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength).toString("base64");
}

function codeOf(error: Error | undefined): string | null {
  return error instanceof ApiError ? error.body.code : null;
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

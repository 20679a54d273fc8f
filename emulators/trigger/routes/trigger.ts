import {
  ResetIdempotencyKeyResponse,
  TriggerTaskRequestBody,
  TriggerTaskResponse,
} from "@trigger.dev/core/v3";
import { type Context, Hono } from "hono";
import { z } from "zod";
import { answer, readBody } from "../answer.ts";
import { reset } from "../engine/idempotency.ts";
import { triggerRun } from "../engine/trigger-run.ts";
import { ApiError } from "../errors.ts";
import type { Server } from "../server.ts";

const MAX_BODY_BYTES = 3 * 1024 * 1024;

/** Starting runs. */
export function triggerRoutes({ engine }: Server): Hono {
  const app = new Hono();

  app.post("/api/v1/tasks/:task/trigger", async (c) => {
    refuseLarge(c);
    const body = await readBody(c, TriggerTaskRequestBody);
    const task = c.req.param("task");
    // The SDK's x-trigger-request-idempotency-key is ignored: 4.5.12 hashes it and then accepts only a UUID.
    const { runId, isCached } = triggerRun(engine, task, body, {
      idempotencyKey: c.req.header("idempotency-key"),
      idempotencyKeyTTL: c.req.header("idempotency-key-ttl"),
      traceparent: c.req.header("x-trigger-worker") ? c.req.header("traceparent") : undefined,
      realtimeStreamsVersion: c.req.header("x-trigger-realtime-streams-version"),
    });
    const id = `run_${runId}`;
    // The SDK itself signs a public token with these claims.
    const claims = {
      sub: engine.environment.id,
      pub: true,
      scopes: [`read:runs:${id}`, `write:inputStreams:${id}`],
    };
    return answer(c, TriggerTaskResponse, { id, isCached }, 200, {
      "x-trigger-jwt-claims": JSON.stringify(claims),
    });
  });

  app.post("/api/v1/idempotencyKeys/:key/reset", async (c) => {
    const { taskIdentifier } = await readBody(c, z.object({ taskIdentifier: z.string() }));
    const key = c.req.param("key");
    if (!reset(engine, taskIdentifier, key))
      throw new ApiError(404, `No runs found with idempotency key: ${key} and task: ${taskIdentifier}`);
    return answer(c, ResetIdempotencyKeyResponse, { id: key });
  });

  return app;
}

/** A request without a content length counts as too large. */
function refuseLarge(c: Context, limit = MAX_BODY_BYTES): void {
  const length = Number(c.req.header("content-length") ?? Infinity);
  if (!(length <= limit)) throw new ApiError(413, "Request body too large");
}

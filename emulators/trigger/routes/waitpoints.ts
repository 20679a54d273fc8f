import {
  CompleteWaitpointTokenRequestBody,
  CompleteWaitpointTokenResponseBody,
  CreateWaitpointTokenRequestBody,
  CreateWaitpointTokenResponseBody,
  WaitForDurationRequestBody,
  WaitForDurationResponseBody,
  WaitForWaitpointTokenResponseBody,
  WaitpointRetrieveTokenResponse,
} from "@trigger.dev/core/v3";
import { WaitpointId } from "@trigger.dev/core/v3/isomorphic";
import { stringifyIO } from "@trigger.dev/core/v3/utils/ioSerialization";
import { type Context, Hono } from "hono";
import { answer, readBody, readOptionalBody } from "../answer.ts";
import type { Engine } from "../engine/engine.ts";
import { isFinished } from "../engine/snapshots.ts";
import { createDatetimeWaitpoint, createToken } from "../engine/waitpoint-tokens.ts";
import { block, completeWaitpoint } from "../engine/waitpoints.ts";
import { ApiError, refused } from "../errors.ts";
import { findRun } from "../find-run.ts";
import type { Server } from "../server.ts";
import type { Run, Waitpoint } from "../store/records.ts";

/** Waits for a time, and tokens that someone else completes. */
export function waitpointRoutes({ engine, url }: Server): Hono {
  const app = new Hono();
  const callbackUrl = (id: string) => `${url()}/api/v1/waitpoints/tokens/${id}/complete`;

  app.post("/engine/v1/runs/:run/wait/duration", async (c) => {
    const body = await readBody(c, WaitForDurationRequestBody);
    const run = findExecuting(engine, c);
    const waitpoint = createDatetimeWaitpoint(engine, body, body.date.getTime());
    block(engine, run, waitpoint);
    return answer(c, WaitForDurationResponseBody, {
      waitUntil: new Date(waitpoint.dueAt ?? body.date),
      waitpoint: { id: `waitpoint_${waitpoint.id}` },
    });
  });

  app.post("/api/v1/waitpoints/tokens", async (c) => {
    const body = await readBody(c, CreateWaitpointTokenRequestBody);
    const { waitpoint, isCached } = createToken(engine, body);
    const id = `waitpoint_${waitpoint.id}`;
    const claims = { sub: engine.environment.id, pub: true, scopes: [`write:waitpoints:${id}`] };
    return answer(c, CreateWaitpointTokenResponseBody, { id, isCached, url: callbackUrl(id) }, 200, {
      "x-trigger-jwt-claims": JSON.stringify(claims),
    });
  });

  app.get("/api/v1/waitpoints/tokens/:waitpoint", (c) => {
    const waitpoint = findToken(engine, c);
    const id = `waitpoint_${waitpoint.id}`;
    return answer(c, WaitpointRetrieveTokenResponse, {
      id,
      url: callbackUrl(id),
      status:
        waitpoint.completedAt === undefined ? "WAITING" : waitpoint.timedOut ? "TIMED_OUT" : "COMPLETED",
      createdAt: new Date(waitpoint.createdAt),
      completedAt: waitpoint.completedAt && new Date(waitpoint.completedAt),
      timeoutAt: waitpoint.dueAt && new Date(waitpoint.dueAt),
      idempotencyKey: waitpoint.idempotencyKey,
      idempotencyKeyExpiresAt:
        waitpoint.idempotencyKeyExpiresAt && new Date(waitpoint.idempotencyKeyExpiresAt),
      tags: waitpoint.tags,
      output: waitpoint.output,
      outputType: waitpoint.outputType,
      outputIsError: waitpoint.outputIsError,
    });
  });

  app.post("/api/v1/waitpoints/tokens/:waitpoint/complete", async (c) => {
    const { data } = await readOptionalBody(c, CompleteWaitpointTokenRequestBody);
    const waitpoint = findToken(engine, c);
    const packet = await stringifyIO(data ?? undefined);
    completeWaitpoint(engine, waitpoint, {
      output: packet.data,
      outputType: packet.dataType,
      outputIsError: false,
    });
    return answer(c, CompleteWaitpointTokenResponseBody, { success: true });
  });

  app.post("/engine/v1/runs/:run/waitpoints/tokens/:waitpoint/wait", (c) => {
    block(engine, findExecuting(engine, c), findToken(engine, c));
    return answer(c, WaitForWaitpointTokenResponseBody, { success: true });
  });

  return app;
}

function findExecuting(engine: Engine, c: Context): Run {
  const run = findRun(engine, c);
  if (isFinished(run)) throw refused("A run that is finished cannot wait");
  return run;
}

function findToken(engine: Engine, c: Context): Waitpoint {
  const waitpoint = engine.tables.waitpoints.get(WaitpointId.toId(c.req.param("waitpoint") ?? ""));
  if (waitpoint?.type !== "MANUAL") throw new ApiError(404, "Waitpoint not found");
  return waitpoint;
}

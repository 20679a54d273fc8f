import { setTimeout } from "node:timers/promises";
import {
  CreateBackgroundWorkerRequestBody,
  CreateBackgroundWorkerResponse,
  DevConfigResponseBody,
  GetEnvironmentVariablesResponseBody,
  GetProjectEnvResponse,
  WhoAmIResponseSchema,
} from "@trigger.dev/core/v3";
import { Hono } from "hono";
import { streamSSE } from "hono/streaming";
import { answer, readBody } from "../answer.ts";
import { doubtHolders } from "../engine/doubt.ts";
import { registerWorker } from "../engine/register-worker.ts";
import { environmentVariables } from "../environment-variables.ts";
import { firstAbort } from "../first-abort.ts";
import type { Server } from "../server.ts";

const TICK_MS = 4_000;
const STREAM_LIFE_MS = 30_000;

/** What `trigger.dev dev` requests until it can run tasks. */
export function startUpRoutes(server: Server): Hono {
  const { engine } = server;
  const app = new Hono();

  app.get("/api/v2/whoami", (c) =>
    answer(c, WhoAmIResponseSchema, {
      userId: "user_local",
      email: "developer@example.com",
      dashboardUrl: server.url(),
    }),
  );

  app.get("/api/v1/platform-notifications", (c) => c.json({ notification: null }));

  app.get("/api/v1/projects/:ref/envvars", (c) =>
    answer(c, GetEnvironmentVariablesResponseBody, { variables: environmentVariables(server) }),
  );

  app.get("/api/v1/projects/:ref/dev-status", (c) => c.json({ isConnected: engine.presence.connected() }));

  app.get("/api/v1/projects/:ref/dev", (c) =>
    answer(c, GetProjectEnvResponse, {
      apiKey: server.secretKey,
      name: "dev",
      apiUrl: server.url(),
      projectId: engine.project.id,
    }),
  );

  app.post("/api/v1/projects/:ref/background-workers", async (c) => {
    const { metadata } = await readBody(c, CreateBackgroundWorkerRequestBody);
    const worker = registerWorker(engine, c.req.param("ref"), metadata);
    return answer(c, CreateBackgroundWorkerResponse, {
      id: `worker_${worker.id}`,
      version: worker.version,
      contentHash: worker.contentHash,
    });
  });

  app.get("/engine/v1/dev/config", (c) =>
    answer(c, DevConfigResponseBody, {
      environmentId: engine.environment.id,
      // The CLI's pauses between two dequeues. The polls are long, so short pauses cost nothing while idle.
      dequeueIntervalWithRun: 2,
      dequeueIntervalWithoutRun: 100,
      // A waiting parent occupies one of the CLI's slots, so the queues decide here, not the CLI.
      maxConcurrentRuns: 1_000,
      engineUrl: server.url(),
    }),
  );

  app.get("/engine/v1/dev/presence", (c) => {
    const left = engine.presence.open(() => {
      if (!server.closing.aborted) doubtHolders(engine);
    });
    return streamSSE(c, async (stream) => {
      const { signal: end, release } = firstAbort(server.closing, AbortSignal.timeout(STREAM_LIFE_MS));
      stream.onAbort(left);
      await stream.writeSSE({ event: "start", data: new Date().toISOString() });
      while (!end.aborted && !stream.aborted) {
        await pause(TICK_MS, end);
        if (!end.aborted) await stream.writeSSE({ event: "time", data: new Date().toISOString() });
      }
      release();
      left();
    });
  });

  return app;
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await setTimeout(ms, undefined, { signal }).catch(() => undefined);
}

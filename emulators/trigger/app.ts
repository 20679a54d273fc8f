import { Hono } from "hono";
import { refuseOtherSites, requireKey } from "./auth.ts";
import { ApiError } from "./errors.ts";
import { batchRoutes } from "./routes/batches.ts";
import { concurrencyLimitRoutes } from "./routes/concurrency-limits.ts";
import { devRunRoutes } from "./routes/dev-runs.ts";
import { environmentVariableRoutes } from "./routes/environment-variables.ts";
import { otelRoutes } from "./routes/otel.ts";
import { packetRoutes } from "./routes/packets.ts";
import { queueRoutes } from "./routes/queues.ts";
import { realtimeRoutes } from "./routes/realtime.ts";
import { runRoutes } from "./routes/runs.ts";
import { scheduleRoutes } from "./routes/schedules.ts";
import { startUpRoutes } from "./routes/start-up.ts";
import { triggerRoutes } from "./routes/trigger.ts";
import { waitpointRoutes } from "./routes/waitpoints.ts";
import type { Server } from "./server.ts";

/** Every route of the API, at the real paths, and `/local/trigger/stats` for tests and benchmarks. */
export function createApp(server: Server): Hono {
  const { secretKey, accessToken, store, engine, rateLimit } = server;
  const app = new Hono();

  app.onError((error, c) => {
    if (error instanceof ApiError) return c.json({ error: error.message }, error.status, error.headers);
    engine.log(`${c.req.method} ${c.req.path} failed: ${error.message}`);
    return c.json({ error: "Something went wrong" }, 500);
  });

  app.use("/api/*", rateLimit.middleware);
  app.get("/local/trigger/stats", (c) => c.json(rateLimit.stats()));
  for (const path of ["/api/*", "/engine/*", "/otel/*", "/realtime/*"]) {
    app.use(path, refuseOtherSites);
    // No one learns of a change before it is stored.
    app.use(path, async (_, next) => {
      await next();
      await store.commit();
    });
  }
  app.use("/api/v2/whoami", requireKey(accessToken));
  app.use("/api/v1/platform-notifications", requireKey(accessToken));
  app.use("/api/v1/projects/*", requireKey(secretKey, accessToken));
  for (const path of [
    "tasks",
    "idempotencyKeys",
    "runs",
    "packets",
    "batches",
    "waitpoints",
    "queues",
    "concurrency-limits",
    "schedules",
  ])
    app.use(`/api/:version/${path}/*`, requireKey(secretKey));
  app.use("/engine/*", requireKey(secretKey));
  app.use("/realtime/*", requireKey(secretKey));

  for (const routes of [
    startUpRoutes,
    devRunRoutes,
    triggerRoutes,
    runRoutes,
    batchRoutes,
    waitpointRoutes,
    packetRoutes,
    queueRoutes,
    concurrencyLimitRoutes,
    scheduleRoutes,
    realtimeRoutes,
    environmentVariableRoutes,
    otelRoutes,
  ])
    app.route("/", routes(server));
  return app;
}

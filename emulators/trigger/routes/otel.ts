import { gunzipSync } from "node:zlib";
import { type Context, Hono } from "hono";
import type { z } from "zod";
import { keepLogs, keepSpans, LogsRequest, TracesRequest } from "../otel.ts";
import type { Server } from "../server.ts";

/** Accepts telemetry, including what it does not understand, because a failed export delays the end of a run. */
export function otelRoutes({ engine }: Server): Hono {
  const app = new Hono();
  app.post("/otel/v1/logs", async (c) => {
    const logs = await read(c, LogsRequest);
    if (logs) keepLogs(engine, logs);
    return c.json({});
  });
  app.post("/otel/v1/traces", async (c) => {
    const traces = await read(c, TracesRequest);
    if (traces) keepSpans(engine, traces);
    return c.json({});
  });
  app.post("/otel/v1/metrics", (c) => c.json({}));
  return app;
}

async function read<S extends z.ZodType>(c: Context, schema: S): Promise<z.output<S> | undefined> {
  if (!c.req.header("content-type")?.includes("json")) return undefined;
  const bytes = Buffer.from(await c.req.arrayBuffer());
  try {
    const text =
      c.req.header("content-encoding") === "gzip" ? gunzipSync(bytes, { maxOutputLength: 64e6 }) : bytes;
    return schema.safeParse(JSON.parse(text.toString("utf8"))).data;
  } catch {
    return undefined;
  }
}

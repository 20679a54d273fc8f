import { parseNaturalLanguageDurationInMs } from "@trigger.dev/core/v3/isomorphic";
import { type Context, Hono } from "hono";
import { firstAbort } from "../first-abort.ts";
import { runRow, shapeSchema } from "../present/run-shape.ts";
import type { Server } from "../server.ts";
import type { Run } from "../store/records.ts";

const POLL_MS = 20_000;
const DEFAULT_PERIOD_MS = 86_400_000;

/**
 * Subscriptions to runs: the long polls of Electric's HTTP protocol (https://electric-sql.com/docs/api/http), which
 * `runs.subscribeToRun`, `subscribeToRunsWithTag` and `subscribeToBatch` use.
 */
export function realtimeRoutes(server: Server): Hono {
  const app = new Hono();

  app.get("/realtime/v1/runs/:run", (c) =>
    watch(server, c, (run) => c.req.param("run") === `run_${run.id}` || c.req.param("run") === run.id),
  );

  app.get("/realtime/v1/batches/:batch", (c) =>
    watch(server, c, (run) => c.req.param("batch") === `batch_${run.batchId}`),
  );

  app.get("/realtime/v1/runs", (c) => {
    const tags = (c.req.query("tags") ?? "").split(",").filter(Boolean);
    const period = parseNaturalLanguageDurationInMs(c.req.query("createdAt") ?? "") ?? DEFAULT_PERIOD_MS;
    const from = server.engine.clock.now() - period;
    return watch(server, c, (run) => run.createdAt >= from && tags.every((tag) => run.tags.includes(tag)));
  });

  return app;
}

/** Responds with the rows that have changed since the client's offset, as soon as there are any. */
async function watch(server: Server, c: Context, matches: (run: Run) => boolean): Promise<Response> {
  const { runs } = server.engine.tables;
  const known = Number.parseInt(c.req.query("offset") ?? "-1", 10);
  // A previous process gave out an offset beyond ours: everything may have changed since.
  const since = known > runs.revision() ? -1 : known;
  const changed = () =>
    [...runs.values()].filter((run) => matches(run) && (since < 0 || runs.revision(run.id) > since));

  let rows = changed();
  if (c.req.query("live") === "true" && since >= 0 && rows.length === 0) {
    const { signal, release } = firstAbort(c.req.raw.signal, server.closing, AbortSignal.timeout(POLL_MS));
    while (rows.length === 0 && !signal.aborted) {
      await server.store.written.wait(signal);
      rows = changed();
    }
    release();
  }
  const offset = runs.revision();
  const messages = rows.map((run) => ({
    key: `"public"."TaskRun"/"${run.id}"`,
    value: runRow(run),
    headers: { operation: known < 0 ? "insert" : "update" },
  }));
  return c.json([...messages, { headers: { control: "up-to-date" } }], 200, {
    "cache-control": "no-store",
    "electric-handle": "runs",
    "electric-offset": `${offset}_0`,
    "electric-cursor": String(offset),
    "electric-schema": shapeSchema,
  });
}

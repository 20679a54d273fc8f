import { QueueItem } from "@trigger.dev/core/v3";
import { type Context, Hono } from "hono";
import { z } from "zod";
import { answer, readBody } from "../answer.ts";
import type { Engine } from "../engine/engine.ts";
import { ApiError, refused } from "../errors.ts";
import { parse } from "../parse.ts";
import type { Server } from "../server.ts";
import type { Queue } from "../store/records.ts";
import { Page, pageOf } from "./page.ts";

const Kind = z.enum(["id", "task", "custom"]).default("id");
const Pause = z.object({ type: Kind, action: z.enum(["pause", "resume"]) });
const Override = z.object({ type: Kind, concurrencyLimit: z.number().int().min(0).max(100_000) });

/** Queues: usage, pause, and overrides of their limits. */
export function queueRoutes({ engine }: Server): Hono {
  const app = new Hono();

  app.get("/api/v1/queues", (c) => {
    const { data, pagination } = pageOf([...engine.tables.queues.values()], parse(Page, c.req.query()));
    return c.json({ data: data.map((queue) => QueueItem.parse(item(engine, queue))), pagination });
  });

  app.get("/api/v1/queues/:queue", (c) =>
    answer(c, QueueItem, item(engine, find(engine, c, parse(Kind, c.req.query("type"))))),
  );

  app.post("/api/v1/queues/:queue/pause", async (c) => {
    const { type, action } = await readBody(c, Pause);
    return answer(c, QueueItem, change(engine, find(engine, c, type), { paused: action === "pause" }));
  });

  app.post("/api/v1/queues/:queue/concurrency/override", async (c) => {
    const { type, concurrencyLimit } = await readBody(c, Override);
    const queue = refuseModern(engine, find(engine, c, type));
    const override = { overrideLimit: concurrencyLimit, overriddenAt: engine.clock.now() };
    return answer(c, QueueItem, change(engine, queue, override));
  });

  app.post("/api/v1/queues/:queue/concurrency/reset", async (c) => {
    const { type } = await readBody(c, z.object({ type: Kind }));
    const queue = refuseModern(engine, find(engine, c, type));
    return answer(c, QueueItem, change(engine, queue, { overrideLimit: undefined, overriddenAt: undefined }));
  });

  return app;
}

/** For the queue of a task with its own limits: those are overridden instead of the queue. */
function refuseModern(engine: Engine, queue: Queue): Queue {
  if (isModern(engine, queue))
    throw refused(`Queue ${queue.id} has no limit of its own; override its concurrency limit`);
  return queue;
}

function isModern(engine: Engine, queue: Queue): boolean {
  return queue.type === "task" && engine.tables.limits.get(queue.id) !== undefined;
}

function change(engine: Engine, queue: Queue, fields: Partial<Queue>) {
  const changed = { ...queue, ...fields };
  engine.tables.queues.save(changed);
  engine.wake();
  return item(engine, changed);
}

function find(engine: Engine, c: Context, type: z.output<typeof Kind>): Queue {
  // The SDK encodes the slashes of a name twice.
  const value = decodeURIComponent(c.req.param("queue") ?? "");
  const name = type === "task" ? `task/${value}` : value;
  for (const queue of engine.tables.queues.values())
    if (type === "id" ? queue.friendlyId === value : queue.id === name) return queue;
  throw new ApiError(404, "Queue not found");
}

function item(engine: Engine, queue: Queue) {
  const { queued, running } = engine.queue.countsOfQueue(queue.id);
  const current = queue.overrideLimit ?? queue.limit ?? null;
  const common = {
    id: queue.friendlyId,
    name: queue.id.replace(/^task\//, ""),
    type: queue.type,
    running,
    queued,
    paused: queue.paused,
  };
  if (isModern(engine, queue)) return { ...common, version: "V2" as const, concurrencyLimit: null };
  return {
    ...common,
    version: "V1" as const,
    concurrencyLimit: current,
    concurrency: {
      current,
      base: queue.limit ?? null,
      override: queue.overrideLimit ?? null,
      overriddenAt: queue.overriddenAt === undefined ? null : new Date(queue.overriddenAt),
      overriddenBy: null,
    },
  };
}

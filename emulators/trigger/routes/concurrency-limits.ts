import {
  ConcurrencyLimitItem,
  OverrideConcurrencyLimitRequestBody,
  ResetConcurrencyLimitRequestBody,
} from "@trigger.dev/core/v3";
import { type Context, Hono } from "hono";
import { z } from "zod";
import { answer, readBody, readOptionalBody } from "../answer.ts";
import type { Engine } from "../engine/engine.ts";
import { enforced } from "../engine/queue-index.ts";
import { ApiError, refused } from "../errors.ts";
import { parse } from "../parse.ts";
import type { Server } from "../server.ts";
import type { Bound, Limit } from "../store/records.ts";
import { Page, pageOf } from "./page.ts";

const Pause = z.object({ action: z.enum(["pause", "resume"]) });

/** Concurrency limits: usage, pause, and overrides. */
export function concurrencyLimitRoutes({ engine }: Server): Hono {
  const { limits } = engine.tables;
  const app = new Hono();

  app.get("/api/v1/concurrency-limits", (c) => {
    const rows = [...limits.values()].sort((a, b) => a.id.localeCompare(b.id));
    const { data, pagination } = pageOf(rows, parse(Page, c.req.query()));
    return c.json({ data: data.map((limit) => ConcurrencyLimitItem.parse(item(engine, limit))), pagination });
  });

  app.get("/api/v1/concurrency-limits/:limit", (c) => {
    if (c.req.query("concurrencyKey") !== undefined) throw oneKey();
    return answer(c, ConcurrencyLimitItem, item(engine, find(engine, c)));
  });

  app.post("/api/v1/concurrency-limits/:limit/override", async (c) => {
    const { perKey, total, concurrencyKey } = await readBody(c, OverrideConcurrencyLimitRequestBody);
    if (concurrencyKey !== undefined) throw oneKey();
    const limit = find(engine, c);
    const override = (bound: Bound, value: number | undefined) =>
      value === undefined ? bound : { ...bound, override: value, overriddenAt: engine.clock.now() };
    return change(engine, c, {
      ...limit,
      perKey: override(limit.perKey, perKey),
      total: override(limit.total, total),
    });
  });

  app.post("/api/v1/concurrency-limits/:limit/reset", async (c) => {
    const { concurrencyKey } = await readOptionalBody(c, ResetConcurrencyLimitRequestBody);
    if (concurrencyKey !== undefined) throw oneKey();
    const limit = find(engine, c);
    const declared = ({ base }: Bound) => ({ base });
    return change(engine, c, { ...limit, perKey: declared(limit.perKey), total: declared(limit.total) });
  });

  app.post("/api/v1/concurrency-limits/:limit/pause", async (c) => {
    const { action } = await readBody(c, Pause);
    return change(engine, c, { ...find(engine, c), paused: action === "pause" });
  });

  return app;
}

function change(engine: Engine, c: Context, limit: Limit): Response {
  engine.tables.limits.save(limit);
  engine.wake();
  return answer(c, ConcurrencyLimitItem, item(engine, limit));
}

function find(engine: Engine, c: Context): Limit {
  const limit = engine.tables.limits.get(c.req.param("limit") ?? "");
  if (!limit) throw new ApiError(404, "Concurrency limit not found");
  return limit;
}

/** The caps of single keys, which expire, are not kept here. */
function oneKey(): ApiError {
  return refused("This server does not override a limit for one concurrencyKey");
}

function item(engine: Engine, { id, friendlyId, perKey, total, paused }: Limit) {
  return {
    id: friendlyId,
    name: id,
    perKey: shown(perKey),
    total: shown(total),
    paused,
    ...engine.queue.countsOfLimit(id),
  };
}

function shown(bound: Bound) {
  const { base = null, override = null, overriddenAt } = bound;
  const current = enforced(bound);
  return {
    current: Number.isFinite(current) ? current : null,
    base,
    override,
    overriddenAt: overriddenAt === undefined ? null : new Date(overriddenAt),
  };
}

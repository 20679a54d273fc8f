import {
  CreateScheduleOptions,
  DeletedScheduleObject,
  ScheduleObject,
  TimezonesResult,
  UpdateScheduleOptions,
} from "@trigger.dev/core/v3";
import { generateFriendlyId } from "@trigger.dev/core/v3/isomorphic";
import { type Context, Hono } from "hono";
import type { z } from "zod";
import { answer, readBody } from "../answer.ts";
import type { Engine } from "../engine/engine.ts";
import { removeSchedule, saveSchedule } from "../engine/schedules.ts";
import { ApiError } from "../errors.ts";
import { parse } from "../parse.ts";
import type { Server } from "../server.ts";
import type { Schedule } from "../store/records.ts";
import { Page, pageOf } from "./page.ts";

/** Cron schedules: those declared on tasks, and those created with the API. */
export function scheduleRoutes({ engine }: Server): Hono {
  const app = new Hono();

  app.get("/api/v1/timezones", (c) =>
    answer(c, TimezonesResult, { timezones: ["UTC", ...Intl.supportedValuesOf("timeZone")] }),
  );

  app.get("/api/v1/schedules", (c) => {
    const { data, pagination } = pageOf([...engine.tables.schedules.values()], parse(Page, c.req.query()));
    return c.json({
      data: data.map((schedule) => ScheduleObject.parse(present(engine, schedule))),
      pagination,
    });
  });

  app.post("/api/v1/schedules", async (c) => {
    const {
      deduplicationKey,
      task,
      cron,
      externalId,
      timezone = "UTC",
    } = await readBody(c, CreateScheduleOptions);
    const schedules = [...engine.tables.schedules.values()];
    const known = schedules.find((schedule) => schedule.deduplicationKey === deduplicationKey);
    const base = known ?? { id: generateFriendlyId("sched"), active: true, createdAt: engine.clock.now() };
    const fields = { type: "IMPERATIVE" as const, task, cron, timezone, externalId, deduplicationKey };
    return answer(c, ScheduleObject, present(engine, saveSchedule(engine, { ...base, ...fields })));
  });

  app.get("/api/v1/schedules/:schedule", (c) => answer(c, ScheduleObject, present(engine, find(engine, c))));

  app.put("/api/v1/schedules/:schedule", async (c) => {
    const { task, cron, externalId, timezone = "UTC" } = await readBody(c, UpdateScheduleOptions);
    const schedule = findImperative(engine, c);
    return answer(
      c,
      ScheduleObject,
      present(engine, saveSchedule(engine, { ...schedule, task, cron, externalId, timezone })),
    );
  });

  for (const [verb, active] of [
    ["activate", true],
    ["deactivate", false],
  ] as const)
    app.post(`/api/v1/schedules/:schedule/${verb}`, (c) =>
      answer(c, ScheduleObject, present(engine, saveSchedule(engine, { ...find(engine, c), active }))),
    );

  app.delete("/api/v1/schedules/:schedule", (c) => {
    const schedule = findImperative(engine, c);
    removeSchedule(engine, schedule);
    return answer(c, DeletedScheduleObject, { id: schedule.id });
  });

  return app;
}

function find(engine: Engine, c: Context): Schedule {
  const schedule = engine.tables.schedules.get(c.req.param("schedule") ?? "");
  if (!schedule) throw new ApiError(404, "Schedule not found");
  return schedule;
}

function findImperative(engine: Engine, c: Context): Schedule {
  const schedule = find(engine, c);
  if (schedule.type === "DECLARATIVE")
    throw new ApiError(422, "A declarative schedule is changed in the code of its task");
  return schedule;
}

function present({ environment }: Engine, schedule: Schedule): z.input<typeof ScheduleObject> {
  return {
    id: schedule.id,
    type: schedule.type,
    task: schedule.task,
    active: schedule.active,
    deduplicationKey: schedule.deduplicationKey,
    externalId: schedule.externalId,
    generator: { type: "CRON", expression: schedule.cron, description: schedule.cron },
    timezone: schedule.timezone,
    nextRun: schedule.active ? new Date(schedule.nextAt) : null,
    environments: [{ id: environment.id, type: environment.type }],
  };
}

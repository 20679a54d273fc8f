import { generateFriendlyId } from "@trigger.dev/core/v3/isomorphic";
import { stringifyIO } from "@trigger.dev/core/v3/utils/ioSerialization";
import { Cron } from "croner";
import { refused } from "../errors.ts";
import type { Schedule, Worker } from "../store/records.ts";
import type { Engine } from "./engine.ts";
import { triggerRun } from "./trigger-run.ts";

const UPCOMING = 5;

/** The next time after `from` at which a cron expression is due; throws ApiError 422 if it is not one. */
function nextTime(cron: string, timezone: string, from: number): number {
  let next: Date | null;
  try {
    next = new Cron(cron, { timezone }).nextRun(new Date(from));
  } catch {
    throw refused(`Invalid cron expression or timezone: ${cron} (${timezone})`);
  }
  if (!next) throw refused(`The cron expression never comes due: ${cron}`);
  return next.getTime();
}

/** Replaces the declared schedules with those of the newest worker. */
export function syncDeclarativeSchedules(engine: Engine, worker: Worker): void {
  const declared = new Map(
    worker.tasks.flatMap(({ id, schedule }) =>
      schedule && (schedule.environments ?? ["DEVELOPMENT"]).includes("DEVELOPMENT") ? [[id, schedule]] : [],
    ),
  );
  for (const schedule of engine.tables.schedules.values())
    if (schedule.type === "DECLARATIVE" && !declared.has(schedule.task)) removeSchedule(engine, schedule);
  for (const [task, { cron, timezone }] of declared) {
    const existing = [...engine.tables.schedules.values()].find(
      (s) => s.type === "DECLARATIVE" && s.task === task,
    );
    if (existing?.cron === cron && existing.timezone === timezone) continue;
    saveSchedule(engine, {
      id: existing?.id ?? generateFriendlyId("sched"),
      type: "DECLARATIVE",
      task,
      cron,
      timezone,
      active: true,
      createdAt: existing?.createdAt ?? engine.clock.now(),
    });
  }
}

/** Stores a new or changed schedule and sets its timer. */
export function saveSchedule(engine: Engine, schedule: Omit<Schedule, "nextAt">): Schedule {
  const nextAt = nextTime(schedule.cron, schedule.timezone, engine.clock.now());
  const saved = { ...schedule, nextAt };
  engine.tables.schedules.save(saved);
  if (saved.active) engine.timers.set("cron", saved.id, nextAt);
  else engine.timers.clear("cron", saved.id);
  return saved;
}

export function removeSchedule(engine: Engine, schedule: Schedule): void {
  engine.timers.clear("cron", schedule.id);
  engine.tables.schedules.remove(schedule.id);
}

/** Handler of the "cron" timer: triggers the task, if a CLI is there to run it. */
export async function fire(engine: Engine, due: Schedule): Promise<void> {
  const payload = await stringifyIO(payloadOf(due));
  // The schedule may have been changed or removed in the meantime.
  const schedule = engine.tables.schedules.get(due.id);
  if (schedule !== due) return;
  const connected = engine.presence.connected();
  saveSchedule(engine, connected ? { ...schedule, lastAt: due.nextAt } : schedule);
  if (!connected) return;
  const { data, dataType } = payload;
  triggerRun(
    engine,
    schedule.task,
    { payload: data, options: { payloadType: dataType } },
    { scheduleId: due.id },
  );
}

function payloadOf({ id, type, cron, timezone, externalId, nextAt, lastAt }: Schedule) {
  return {
    scheduleId: id,
    type,
    timestamp: new Date(nextAt),
    lastTimestamp: lastAt === undefined ? undefined : new Date(lastAt),
    externalId,
    timezone,
    upcoming: new Cron(cron, { timezone }).nextRuns(UPCOMING, new Date(nextAt)),
  };
}

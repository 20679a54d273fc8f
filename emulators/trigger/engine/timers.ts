import type { Run } from "../store/records.ts";
import { stalled } from "./attempts.ts";
import { abortUnsealed, checkBatch, processItems, UNSEALED_LIFE_MS } from "./batches.ts";
import { doubtHolders } from "./doubt.ts";
import type { Engine } from "./engine.ts";
import { endDelay, expire } from "./enqueue.ts";
import { SWEEP_EVERY_MS, sweep } from "./prune.ts";
import { fire, saveSchedule } from "./schedules.ts";
import { isFinished } from "./snapshots.ts";
import { timeOut } from "./waitpoint-tokens.ts";
import { completeWaitpoint, resume, resumeSoon } from "./waitpoints.ts";

export function handleTimers(engine: Engine): void {
  const { timers, tables } = engine;
  const onRun = (handler: (engine: Engine, run: Run) => void) => (id: string) => {
    const run = tables.runs.get(id);
    if (run && !isFinished(run)) handler(engine, run);
  };
  timers.handle("stall", onRun(stalled));
  timers.handle("delay", onRun(endDelay));
  timers.handle("ttl", onRun(expire));
  timers.handle("resume", onRun(resume));
  timers.handle("wake", () => engine.wake());
  timers.handle("waitpoint", (id) => {
    const waitpoint = tables.waitpoints.get(id);
    if (waitpoint?.type === "MANUAL") timeOut(engine, waitpoint);
    else if (waitpoint) completeWaitpoint(engine, waitpoint, { outputIsError: false });
  });
  for (const [kind, handler] of [
    ["batch-abort", abortUnsealed],
    ["batch-items", processItems],
    ["batch-check", checkBatch],
  ] as const)
    timers.handle(kind, (id) => {
      const batch = tables.batches.get(id);
      if (batch) handler(engine, batch);
    });
  timers.handle("cron", (id) => {
    const schedule = tables.schedules.get(id);
    if (schedule) fire(engine, schedule).catch((error: unknown) => engine.log(`schedule ${id}: ${error}`));
  });
  timers.handle("sweep", () => {
    sweep(engine);
    timers.set("sweep", "all", engine.clock.now() + SWEEP_EVERY_MS);
  });
}

/** Sets every timer that the stored state requires. */
export function rearmTimers(engine: Engine): void {
  const { timers, tables, clock } = engine;
  doubtHolders(engine);
  for (const run of tables.runs.values()) {
    if (isFinished(run)) continue;
    if (run.status === "DELAYED" && run.delayUntil !== undefined) timers.set("delay", run.id, run.delayUntil);
    if (run.status === "PENDING" && run.ttlAt !== undefined) timers.set("ttl", run.id, run.ttlAt);
    if (run.blockedBy.length > 0) resumeSoon(engine, run);
  }
  for (const waitpoint of tables.waitpoints.values())
    if (waitpoint.completedAt === undefined && waitpoint.dueAt !== undefined)
      timers.set("waitpoint", waitpoint.id, waitpoint.dueAt);
  for (const batch of tables.batches.values()) {
    if (batch.sealedAt === undefined) timers.set("batch-abort", batch.id, batch.createdAt + UNSEALED_LIFE_MS);
    else timers.set(batch.processedAt === undefined ? "batch-items" : "batch-check", batch.id, clock.now());
  }
  for (const schedule of tables.schedules.values()) saveSchedule(engine, schedule);
  timers.set("sweep", "all", clock.now() + SWEEP_EVERY_MS);
}

import type { TaskResource } from "@trigger.dev/core/v3";
import { clampMaxDuration } from "@trigger.dev/core/v3/isomorphic";
import type { z } from "zod";
import type { Run, Worker } from "../store/records.ts";
import { report } from "./describe.ts";
import type { Engine } from "./engine.ts";
import { setSnapshot } from "./snapshots.ts";
import { currentWorker, findTask } from "./workers.ts";

export interface Dequeued {
  run: Run;
  worker: Worker;
}

/**
 * Takes the next run from the queues and locks it to a version
 * (internal-packages/run-engine/src/engine/systems/dequeueSystem.ts of triggerdotdev/trigger.dev).
 */
export function dequeue(engine: Engine): Dequeued | undefined {
  for (;;) {
    const now = engine.clock.now();
    const id = engine.queue.next(now, engine.limits.concurrency, engine.tables);
    const run = id === undefined ? undefined : engine.tables.runs.get(id);
    if (!run) {
      const later = engine.queue.nextScore(now);
      if (later !== undefined) engine.timers.set("wake", "queue", later);
      return undefined;
    }
    const freeAt = engine.processes.freeAt(now, run.queueTimestamp, engine.queue.executing);
    if (freeAt > now) {
      engine.timers.set("wake", "queue", freeAt);
      return undefined;
    }
    const worker = engine.tables.workers.get(run.workerId ?? run.lockToWorker ?? "") ?? currentWorker(engine);
    const task = findTask(worker, run.task);
    if (worker && task && engine.tables.queues.get(run.queue)) {
      lock(engine, run, worker, task);
      engine.processes.take(run.id, now);
      return { run, worker };
    }
    run.status = "PENDING_VERSION";
    setSnapshot(engine, run, "RUN_CREATED", "Run is waiting for a version that has its task and queue");
    report(engine, run, "waits for a worker that has its task");
  }
}

function lock(engine: Engine, run: Run, worker: Worker, task: z.output<typeof TaskResource>): void {
  run.status = "DEQUEUED";
  run.workerId = worker.id;
  run.version = worker.version;
  run.lockedRetry ??= task.retry;
  run.maxAttempts ??= task.retry?.maxAttempts;
  run.maxDuration ??= task.maxDuration === undefined ? undefined : clampMaxDuration(task.maxDuration);
  run.machine ??= task.machine?.preset ?? "small-1x";
  run.startedAt ??= engine.clock.now();
  setSnapshot(engine, run, "PENDING_EXECUTING", "Run was dequeued for execution");
}

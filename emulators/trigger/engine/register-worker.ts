import type { CreateBackgroundWorkerRequestBody } from "@trigger.dev/core/v3";
import { BackgroundWorkerId, generateFriendlyId, sanitizeQueueName } from "@trigger.dev/core/v3/isomorphic";
import type { z } from "zod";
import { refused } from "../errors.ts";
import type { Queue, Worker } from "../store/records.ts";
import { checkConcurrency, gatesOf, syncLimits } from "./concurrency-limits.ts";
import type { Engine } from "./engine.ts";
import { enqueue } from "./enqueue.ts";
import { syncDeclarativeSchedules } from "./schedules.ts";
import { isFinished } from "./snapshots.ts";
import { currentWorker, findTask, queueNameOf } from "./workers.ts";

const WORKERS_KEPT = 20;

type Metadata = z.output<typeof CreateBackgroundWorkerRequestBody>["metadata"];

/**
 * Registers what the CLI has built. The same content as the newest worker is that worker again. Anything else is a new
 * version with its queues and schedules, for which runs may have been waiting
 * (apps/webapp/app/v3/services/createBackgroundWorker.server.ts of triggerdotdev/trigger.dev).
 * @throws ApiError 422 if two tasks have the same id, or limits conflict
 */
export function registerWorker(engine: Engine, projectRef: string, metadata: Metadata): Worker {
  const latest = currentWorker(engine);
  if (latest?.contentHash === metadata.contentHash) return latest;

  const ids = metadata.tasks.map(({ id }) => id);
  const twice = [...new Set(ids.filter((id, i) => ids.indexOf(id) !== i))];
  if (twice.length > 0) throw refused(`Duplicate task ids found: ${twice.join(", ")}`);

  checkConcurrency(metadata);
  syncLimits(engine, metadata);

  const names = new Set<string>();
  for (const queue of metadata.queues ?? []) {
    const name = sanitizeQueueName(queue.name);
    upsertQueue(engine, name, "custom", queue.concurrencyLimit);
    names.add(name);
  }
  for (const task of metadata.tasks) {
    const name = queueNameOf(task);
    const own = task.queue?.name === undefined;
    // A task that only names a queue declared elsewhere says nothing about its limit.
    if (own || !names.has(name))
      upsertQueue(engine, name, own ? "task" : "custom", task.queue?.concurrencyLimit);
    names.add(name);
  }

  const worker: Worker = {
    id: BackgroundWorkerId.generate().id,
    seq: engine.nextSeq(),
    projectRef,
    version: nextVersion(engine, latest),
    contentHash: metadata.contentHash,
    runtime: metadata.runtime,
    createdAt: engine.clock.now(),
    tasks: metadata.tasks,
    queues: [...names],
  };
  engine.tables.workers.save(worker);
  forgetOldWorkers(engine);
  syncDeclarativeSchedules(engine, worker);
  engine.log(`worker ${worker.version} registered: ${ids.join(", ")}`);

  for (const run of engine.tables.runs.values()) {
    const task = findTask(worker, run.task);
    if (run.status !== "PENDING_VERSION" || !task || !names.has(run.queue)) continue;
    // It was triggered before its task was known.
    if (run.gates.length === 0) run.gates = gatesOf(task, undefined);
    enqueue(engine, run);
  }
  return worker;
}

function upsertQueue(
  engine: Engine,
  name: string,
  type: Queue["type"],
  limit: number | null | undefined,
): void {
  const queue = engine.tables.queues.get(name) ?? {
    id: name,
    friendlyId: generateFriendlyId("queue"),
    type,
    paused: false,
  };
  engine.tables.queues.save({ ...queue, limit: limit ?? undefined });
}

function nextVersion(engine: Engine, latest: Worker | undefined): string {
  const day = new Date(engine.clock.now()).toISOString().slice(0, 10).replaceAll("-", "");
  const [latestDay, count] = latest?.version.split(".") ?? [];
  return `${day}.${latestDay === day ? Number(count) + 1 : 1}`;
}

function forgetOldWorkers(engine: Engine): void {
  const used = new Set<string | undefined>();
  for (const run of engine.tables.runs.values())
    if (!isFinished(run)) used.add(run.workerId).add(run.lockToWorker);
  const workers = [...engine.tables.workers.values()].sort((a, b) => b.seq - a.seq);
  for (const worker of workers.slice(WORKERS_KEPT))
    if (!used.has(worker.id)) engine.tables.workers.remove(worker.id);
}

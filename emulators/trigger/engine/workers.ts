import type { TaskResource } from "@trigger.dev/core/v3";
import { sanitizeQueueName } from "@trigger.dev/core/v3/isomorphic";
import type { z } from "zod";
import type { Worker } from "../store/records.ts";
import type { Engine } from "./engine.ts";

type Task = z.output<typeof TaskResource>;

/** The version that new runs get: in a DEVELOPMENT environment simply the newest. */
export function currentWorker(engine: Engine): Worker | undefined {
  let newest: Worker | undefined;
  for (const worker of engine.tables.workers.values())
    if (!newest || worker.seq > newest.seq) newest = worker;
  return newest;
}

/** Whether there is a newer version than this one. */
export function isOutdated(engine: Engine, id: string): boolean {
  return engine.tables.workers.get(id) !== undefined && currentWorker(engine)?.id !== id;
}

export function findTask(worker: Worker | undefined, id: string): Task | undefined {
  return worker?.tasks.find((task) => task.id === id);
}

export function queueNameOf(task: Pick<Task, "id" | "queue">): string {
  return sanitizeQueueName(task.queue?.name ?? "") || defaultQueue(task.id);
}

export function defaultQueue(taskId: string): string {
  return sanitizeQueueName(`task/${taskId}`);
}

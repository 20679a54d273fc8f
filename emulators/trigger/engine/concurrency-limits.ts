import type { BackgroundWorkerMetadata, ConcurrencyShapeManifest, TaskResource } from "@trigger.dev/core/v3";
import { generateFriendlyId, sanitizeQueueName } from "@trigger.dev/core/v3/isomorphic";
import type { z } from "zod";
import { refused } from "../errors.ts";
import type { Engine } from "./engine.ts";

type Task = Pick<z.output<typeof TaskResource>, "id" | "queue" | "concurrency">;
type Metadata = z.output<typeof BackgroundWorkerMetadata>;

const RESERVED = "limit/";
const NAME = /^[a-zA-Z0-9_-]{1,122}$/;

/** The limits that apply to a run of this task: its own, and the task's named ones, or instead those of the trigger. */
export function gatesOf(task: Task | undefined, named: string[] | undefined): string[] {
  const { inline, limits = [] } = task?.concurrency ?? {};
  return [...(task && inline ? [ownLimit(task.id)] : []), ...new Set(named ?? limits)];
}

/**
 * The checks of validateWorkerConcurrencyDeclarations in apps/webapp/app/v3/services/createBackgroundWorker.server.ts
 * of triggerdotdev/trigger.dev.
 * @throws ApiError 422 for what cannot be declared together
 */
export function checkConcurrency({ tasks, queues = [], concurrencyLimits = [] }: Metadata): void {
  for (const { name } of queues) refuseReserved(`Queue "${name}"`, name);
  for (const { name } of concurrencyLimits) refuseName(name);
  for (const { id, queue, concurrency } of tasks) {
    if (queue?.name) refuseReserved(`Task "${id}"`, queue.name);
    if (!concurrency) continue;
    if (typeof queue?.concurrencyLimit === "number")
      throw refused(
        `Task "${id}" declares both a queue concurrencyLimit and the concurrency option; use concurrency.`,
      );
    for (const name of concurrency.limits ?? []) refuseName(name);
    if (concurrency.inline && queue?.name && (concurrency.limits ?? []).length > 1)
      throw refused(
        `Task "${id}": an inline limit on a shared queue uses a gate slot, so at most one named limit can be combined with it.`,
      );
  }
}

function refuseReserved(whose: string, name: string): void {
  if (sanitizeQueueName(name).startsWith(RESERVED))
    throw refused(`${whose}: queue names starting with "${RESERVED}" are reserved for concurrency limits.`);
}

function refuseName(name: string): void {
  if (!NAME.test(name))
    throw refused(
      `Concurrency limit name "${name}" must be 1-122 characters using only letters, numbers, underscores and hyphens.`,
    );
}

/** Replaces the limits with those of the newest worker. A name that is used but not declared has no bounds. */
export function syncLimits(engine: Engine, { tasks, concurrencyLimits = [] }: Metadata): void {
  const named = tasks.flatMap(({ concurrency }) => concurrency?.limits ?? []);
  const declared = new Map(named.map((name) => [name, {}]));
  for (const { name, ...shape } of concurrencyLimits) declared.set(name, shape);
  for (const [name, shape] of declared) saveLimit(engine, name, shape);
  for (const { id, concurrency } of tasks)
    if (concurrency?.inline) saveLimit(engine, ownLimit(id), concurrency.inline);
    else engine.tables.limits.remove(ownLimit(id));
}

function saveLimit(
  engine: Engine,
  id: string,
  { perKey, total }: z.output<typeof ConcurrencyShapeManifest>,
): void {
  const { limits } = engine.tables;
  const known = limits.get(id) ?? {
    id,
    friendlyId: generateFriendlyId("climit"),
    perKey: {},
    total: {},
    paused: false,
  };
  limits.save({
    ...known,
    perKey: { ...known.perKey, base: perKey },
    total: { ...known.total, base: total },
  });
}

function ownLimit(taskId: string): string {
  return `task/${taskId}`;
}

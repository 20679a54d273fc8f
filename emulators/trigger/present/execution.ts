import type { DequeuedMessage, TaskRunExecution } from "@trigger.dev/core/v3";
import type { z } from "zod";
import type { Dequeued } from "../engine/dequeue.ts";
import type { Engine } from "../engine/engine.ts";
import { machines, organization } from "../environment.ts";
import type { Run, Worker } from "../store/records.ts";
import { snapshotOf } from "./snapshot.ts";

export function machineOf(run: Run) {
  return machines[run.machine ?? "small-1x"];
}

export function dequeuedMessage(
  { clock, environment, project }: Engine,
  { run, worker }: Dequeued,
): z.input<typeof DequeuedMessage> {
  return {
    version: "1",
    dequeuedAt: new Date(clock.now()),
    snapshot: snapshotOf(run),
    completedWaitpoints: [],
    backgroundWorker: {
      id: worker.id,
      friendlyId: `worker_${worker.id}`,
      version: worker.version,
      runtime: worker.runtime,
    },
    deployment: {},
    run: {
      id: run.id,
      friendlyId: `run_${run.id}`,
      isTest: run.isTest,
      isReplay: run.replayOf !== undefined,
      machine: machineOf(run),
      attemptNumber: (run.attemptNumber ?? 0) + 1,
      masterQueue: environment.id,
      traceContext: { traceparent: run.traceparent },
    },
    environment,
    organization,
    project,
  };
}

/** What a task process receives: the payload, and what the task sees as `ctx`. */
export function execution(engine: Engine, run: Run, worker: Worker): z.input<typeof TaskRunExecution> {
  const task = worker.tasks.find(({ id }) => id === run.task);
  const queue = engine.tables.queues.get(run.queue);
  return {
    attempt: {
      number: run.attemptNumber ?? 1,
      startedAt: new Date(run.attempts.at(-1)?.startedAt ?? run.createdAt),
      ...deprecatedAttemptFields,
    },
    run: {
      id: `run_${run.id}`,
      payload: run.payload ?? "",
      payloadType: run.payloadType,
      createdAt: new Date(run.createdAt),
      startedAt: new Date(run.startedAt ?? run.createdAt),
      tags: run.tags,
      isTest: run.isTest,
      isReplay: run.replayOf !== undefined,
      idempotencyKey: run.idempotencyKeyOptions?.key ?? run.idempotencyKey,
      idempotencyKeyScope: run.idempotencyKeyOptions?.scope,
      maxAttempts: run.maxAttempts,
      version: worker.version,
      metadata: run.metadata === undefined ? undefined : JSON.parse(run.metadata),
      maxDuration: run.maxDuration,
      priority: run.priorityMs === 0 ? undefined : run.priorityMs / 1_000,
      parentTaskRunId: run.parentId && `run_${run.parentId}`,
      rootTaskRunId: run.rootId && `run_${run.rootId}`,
      durationMs: run.usageMs,
      costInCents: 0,
      baseCostInCents: 0,
      traceContext: { traceparent: run.traceparent },
      realtimeStreamsVersion: run.realtimeStreamsVersion,
    },
    task: { id: run.task, filePath: task?.filePath ?? "", exportName: task?.exportName },
    queue: { id: queue?.friendlyId ?? run.queue, name: run.queue },
    environment: engine.environment,
    organization,
    project: { ...engine.project, ref: worker.projectRef },
    machine: machineOf(run),
    batch: run.batchId === undefined ? undefined : { id: `batch_${run.batchId}` },
  };
}

// The SDK's types still name these fields, and the real server fills them with the same word.
const deprecatedAttemptFields = {
  id: "deprecated",
  status: "deprecated",
  backgroundWorkerId: "deprecated",
  backgroundWorkerTaskId: "deprecated",
};

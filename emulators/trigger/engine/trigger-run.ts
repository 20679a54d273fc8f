import { randomBytes } from "node:crypto";
import { clampMaxDuration, RunId } from "@trigger.dev/core/v3/isomorphic";
import { refused } from "../errors.ts";
import type { Run } from "../store/records.ts";
import { gatesOf } from "./concurrency-limits.ts";
import { parseDebounce, pushBack } from "./debounce.ts";
import { delayUntil } from "./delay-until.ts";
import type { Engine } from "./engine.ts";
import { delay, enqueue } from "./enqueue.ts";
import { runOutput } from "./finish-run.ts";
import { expiryOf, lookUp, remember } from "./idempotency.ts";
import { isFinished } from "./snapshots.ts";
import {
  chooseQueue,
  chooseTtl,
  lockedWorker,
  type Options,
  parseMetadata,
  parseTags,
  serializePayload,
  type TriggerBody,
} from "./trigger-options.ts";
import { block, completeWaitpoint, createWaitpoint } from "./waitpoints.ts";
import { currentWorker, findTask } from "./workers.ts";

export interface TriggerContext {
  idempotencyKey?: string | undefined;
  idempotencyKeyTTL?: string | undefined;
  traceparent?: string | undefined;
  realtimeStreamsVersion?: string | undefined;
  batch?: { id: string; index: number };
  scheduleId?: string;
  replayOf?: string;
}

export interface Triggered {
  runId: string;
  isCached: boolean;
}

/**
 * Creates a run, or finds the one of the idempotency or debounce key. The order of the checks is that of
 * apps/webapp/app/runEngine/services/triggerTask.server.ts of triggerdotdev/trigger.dev.
 * @throws ApiError 422 if a rule rejects the options
 */
export function triggerRun(
  engine: Engine,
  task: string,
  body: TriggerBody,
  context: TriggerContext = {},
): Triggered {
  const options = body.options ?? {};
  const now = engine.clock.now();
  const tags = parseTags(options.tags);
  const debounce = parseDebounce(options);
  const until = delayUntil(options.delay ?? options.debounce?.delay, now);
  const parent = findParent(engine, task, options);

  const key = context.idempotencyKey ?? options.idempotencyKey;
  if (key !== undefined) {
    const runId = lookUp(engine, task, key);
    if (runId !== undefined) {
      if (parent && options.resumeParentOnCompletion) blockOnRun(engine, parent, runId, context);
      return { runId, isCached: true };
    }
  }
  const lockedTo = lockedWorker(engine, options.lockToVersion);
  const queue = chooseQueue(engine, task, options, lockedTo);
  const metadata = parseMetadata(options);

  if (debounce) {
    const pushed = pushBack(engine, task, debounce, body);
    if (pushed) {
      if (parent && options.resumeParentOnCompletion) blockOnRun(engine, parent, pushed.id, context);
      return { runId: pushed.id, isCached: false };
    }
  }

  const id = RunId.generate().id;
  const run: Run = {
    id,
    seq: engine.nextSeq(),
    task,
    status: "PENDING",
    snapshot: { id, status: "RUN_CREATED", description: "Run was created", createdAt: now, completed: [] },
    createdAt: now,
    updatedAt: now,
    ...serializePayload(body),
    ...metadata,
    tags,
    isTest: options.test ?? false,
    replayOf: context.replayOf,
    queue,
    gates: gatesOf(findTask(lockedTo ?? currentWorker(engine), task), options.concurrency),
    concurrencyKey: options.concurrencyKey,
    queueTimestamp: parent && options.resumeParentOnCompletion ? parent.queueTimestamp : now,
    priorityMs: (options.priority ?? 0) * 1_000,
    requeues: 0,
    ttl: chooseTtl(engine, task, options, lockedTo),
    debounce: debounce && { ...debounce, latestAt: debounce.maxDelayMs && now + debounce.maxDelayMs },
    idempotencyKey: key,
    idempotencyKeyExpiresAt:
      key === undefined ? undefined : expiryOf(context.idempotencyKeyTTL ?? options.idempotencyKeyTTL, now),
    idempotencyKeyOptions: options.idempotencyKeyOptions,
    maxAttempts: options.maxAttempts,
    maxDuration: options.maxDuration === undefined ? undefined : clampMaxDuration(options.maxDuration),
    machine: options.machine,
    parentId: parent?.id,
    rootId: parent ? (parent.rootId ?? parent.id) : undefined,
    depth: parent ? parent.depth + 1 : 0,
    resumeParent: options.resumeParentOnCompletion ?? false,
    batchId: context.batch?.id,
    batchIndex: context.batch?.index,
    scheduleId: context.scheduleId,
    lockToWorker: lockedTo?.id,
    attempts: [],
    usageMs: 0,
    blockedBy: [],
    completes: [],
    traceparent: context.traceparent ?? newTraceparent(),
    realtimeStreamsVersion: context.realtimeStreamsVersion,
  };
  engine.tables.runs.save(run);
  remember(engine, run);
  if (parent && options.resumeParentOnCompletion) blockOnRun(engine, parent, run.id, context);
  if (until !== undefined) delay(engine, run, until);
  else enqueue(engine, run);
  engine.index.add(run);
  return { runId: run.id, isCached: false };
}

/** Makes `parent` wait for a run. A run that is over, or forgotten, answers immediately. */
function blockOnRun(engine: Engine, parent: Run, runId: string, { batch }: TriggerContext): void {
  const child = engine.tables.runs.get(runId);
  const waitpoint = createWaitpoint(engine, { type: "RUN", childRunId: runId, batchId: batch?.id });
  if (!child) completeWaitpoint(engine, waitpoint, { outputIsError: false });
  else if (isFinished(child)) completeWaitpoint(engine, waitpoint, runOutput(child));
  else {
    child.completes.push(waitpoint.id);
    engine.tables.runs.save(child);
  }
  block(engine, parent, waitpoint, batch?.index);
}

function findParent(engine: Engine, task: string, options: Options): Run | undefined {
  if (!options.parentRunId) return undefined;
  const parent = engine.tables.runs.get(RunId.toId(options.parentRunId));
  if (parent && options.resumeParentOnCompletion && isFinished(parent))
    throw refused(`Cannot trigger ${task} as the parent run has a status of ${parent.status}`);
  return parent;
}

function newTraceparent(): string {
  return `00-${randomBytes(16).toString("hex")}-${randomBytes(8).toString("hex")}-01`;
}

import {
  IdempotencyKeyOptionsSchema,
  MachinePresetName,
  RetryOptions,
  TaskResource,
  TaskRunError,
  TaskRunExecutionStatus,
  TaskRunStatus,
} from "@trigger.dev/core/v3";
import { z } from "zod";

/** Ids in records are internal ones: the friendly id of a run is `run_` and its id. Times are epoch milliseconds. */
const time = z.number();

const WaitpointRef = z.object({ id: z.string(), index: z.number().optional() });

export const Snapshot = z.object({
  id: z.string(),
  previousId: z.string().optional(),
  status: z.enum(TaskRunExecutionStatus),
  description: z.string(),
  createdAt: time,
  completed: z.array(WaitpointRef),
});
export type Snapshot = z.infer<typeof Snapshot>;

const Attempt = z.object({
  number: z.number(),
  startedAt: time,
  finishedAt: time.optional(),
  error: TaskRunError.optional(),
});

export const Run = z.object({
  id: z.string(),
  seq: z.number(),
  task: z.string(),
  status: z.enum(TaskRunStatus),
  snapshot: Snapshot,
  createdAt: time,
  updatedAt: time,
  payload: z.string().optional(),
  payloadType: z.string(),
  metadata: z.string().optional(),
  /** The metadata that the run was triggered with. */
  seedMetadata: z.string().optional(),
  tags: z.array(z.string()),
  isTest: z.boolean(),
  replayOf: z.string().optional(),
  queue: z.string(),
  /** Ids of the concurrency limits whose slots it holds, in addition to its queue's. */
  gates: z.array(z.string()).default([]),
  concurrencyKey: z.string().optional(),
  queueTimestamp: time,
  priorityMs: z.number(),
  requeues: z.number(),
  ttl: z.string().optional(),
  ttlAt: time.optional(),
  expiredAt: time.optional(),
  delayUntil: time.optional(),
  debounce: z
    .object({ key: z.string(), delayMs: z.number(), latestAt: time.optional(), trailing: z.boolean() })
    .optional(),
  idempotencyKey: z.string().optional(),
  idempotencyKeyExpiresAt: time.optional(),
  idempotencyKeyOptions: IdempotencyKeyOptionsSchema.optional(),
  maxAttempts: z.number().optional(),
  maxDuration: z.number().optional(),
  machine: MachinePresetName.optional(),
  parentId: z.string().optional(),
  rootId: z.string().optional(),
  depth: z.number(),
  resumeParent: z.boolean(),
  batchId: z.string().optional(),
  batchIndex: z.number().optional(),
  scheduleId: z.string().optional(),
  lockToWorker: z.string().optional(),
  workerId: z.string().optional(),
  version: z.string().optional(),
  lockedRetry: RetryOptions.optional(),
  startedAt: time.optional(),
  finishedAt: time.optional(),
  attempts: z.array(Attempt),
  attemptNumber: z.number().optional(),
  usageMs: z.number(),
  blockedBy: z.array(WaitpointRef),
  /** Waitpoints of other runs that the end of this one completes. */
  completes: z.array(z.string()),
  traceparent: z.string(),
  realtimeStreamsVersion: z.string().optional(),
  error: TaskRunError.optional(),
  output: z.string().optional(),
  outputType: z.string().optional(),
});
export type Run = z.infer<typeof Run>;

export const Worker = z.object({
  id: z.string(),
  seq: z.number(),
  projectRef: z.string(),
  version: z.string(),
  contentHash: z.string(),
  runtime: z.string().optional(),
  createdAt: time,
  tasks: z.array(TaskResource),
  /** Names of all queues that this version may use. */
  queues: z.array(z.string()),
});
export type Worker = z.infer<typeof Worker>;

export const Queue = z.object({
  id: z.string(),
  friendlyId: z.string(),
  type: z.enum(["task", "custom"]),
  limit: z.number().optional(),
  overrideLimit: z.number().optional(),
  overriddenAt: time.optional(),
  paused: z.boolean(),
});
/** `id` is the queue's name. */
export type Queue = z.infer<typeof Queue>;

/** One bound of a concurrency limit: as declared, and as the API has overridden it. */
export const Bound = z.object({
  base: z.number().optional(),
  override: z.number().optional(),
  overriddenAt: time.optional(),
});
export type Bound = z.infer<typeof Bound>;

/** `id` is the limit's name; for a task's own limit, `task/` and the task's id. */
export const Limit = z.object({
  id: z.string(),
  friendlyId: z.string(),
  /** Per concurrency key, and for all runs without one. */
  perKey: Bound,
  /** For all runs with this limit. */
  total: Bound,
  paused: z.boolean(),
});
export type Limit = z.infer<typeof Limit>;

export const IdempotencyRecord = z.object({
  id: z.string(),
  key: z.string(),
  task: z.string(),
  runId: z.string(),
  expiresAt: time,
});
export type IdempotencyRecord = z.infer<typeof IdempotencyRecord>;

export const Waitpoint = z.object({
  id: z.string(),
  type: z.enum(["RUN", "BATCH", "DATETIME", "MANUAL"]),
  createdAt: time,
  completedAt: time.optional(),
  dueAt: time.optional(),
  timedOut: z.boolean().optional(),
  /** Runs that wait for it, or did. */
  waiters: z.array(z.string()),
  childRunId: z.string().optional(),
  batchId: z.string().optional(),
  idempotencyKey: z.string().optional(),
  idempotencyKeyExpiresAt: time.optional(),
  tags: z.array(z.string()),
  output: z.string().optional(),
  outputType: z.string().optional(),
  outputIsError: z.boolean(),
});
export type Waitpoint = z.infer<typeof Waitpoint>;

const BatchItemState = z.object({
  runId: z.string().optional(),
  error: z.string().optional(),
  errorCode: z.string().optional(),
  task: z.string(),
});

export const Batch = z.object({
  id: z.string(),
  status: z.enum(["PENDING", "PROCESSING", "COMPLETED", "PARTIAL_FAILED", "ABORTED"]),
  createdAt: time,
  updatedAt: time,
  runCount: z.number(),
  sealedAt: time.optional(),
  processedAt: time.optional(),
  parentId: z.string().optional(),
  resumeParent: z.boolean(),
  waitpointId: z.string().optional(),
  idempotencyKey: z.string().optional(),
  items: z.record(z.string(), BatchItemState),
});
export type Batch = z.infer<typeof Batch>;

/** A received item that has not been triggered yet. `id` is the batch's id, a slash and the index. */
export const BatchItem = z.object({
  id: z.string(),
  task: z.string(),
  payload: z.unknown(),
  options: z.unknown(),
});
export type BatchItem = z.infer<typeof BatchItem>;

export const Schedule = z.object({
  id: z.string(),
  type: z.enum(["DECLARATIVE", "IMPERATIVE"]),
  task: z.string(),
  cron: z.string(),
  timezone: z.string(),
  active: z.boolean(),
  deduplicationKey: z.string().optional(),
  externalId: z.string().optional(),
  createdAt: time,
  lastAt: time.optional(),
  nextAt: time,
});
export type Schedule = z.infer<typeof Schedule>;

export const LogLine = z.object({
  at: time,
  kind: z.enum(["log", "span"]),
  level: z.string(),
  message: z.string(),
  durationMs: z.number().optional(),
  attributes: z.record(z.string(), z.unknown()),
});
export type LogLine = z.infer<typeof LogLine>;

/** What the task's process reported about a run; `id` is the run's id. */
export const RunLog = z.object({ id: z.string(), lines: z.array(LogLine) });

export const Packet = z.object({
  id: z.string(),
  contentType: z.string(),
  body: z.string(),
  createdAt: time,
});

/** The ids of this folder's environment and project; there is one record. */
export const Identity = z.object({ id: z.string(), environmentId: z.string(), projectId: z.string() });

export const EnvVar = z.object({ id: z.string(), value: z.string() });

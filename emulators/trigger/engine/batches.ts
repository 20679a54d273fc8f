import { BatchItemNDJSON, type CreateBatchRequestBody } from "@trigger.dev/core/v3";
import { BatchId } from "@trigger.dev/core/v3/isomorphic";
import type { z } from "zod";
import { ApiError, refused } from "../errors.ts";
import type { Batch, BatchItem, Run } from "../store/records.ts";
import type { Engine } from "./engine.ts";
import { failedRun } from "./failed-run.ts";
import { isFinished } from "./snapshots.ts";
import type { Options } from "./trigger-options.ts";
import { triggerRun } from "./trigger-run.ts";
import { block, completeWaitpoint, createWaitpoint } from "./waitpoints.ts";

const MAX_RUNS = 1_000;
export const UNSEALED_LIFE_MS = 30 * 60_000;
/** Items triggered at a time, so that a large batch does not delay other responses. */
const ITEMS_A_TURN = 25;

type CreateBatch = z.output<typeof CreateBatchRequestBody>;

/** First phase: the batch exists and its parent, if any, waits for it. */
export function createBatch(engine: Engine, body: CreateBatch): { batch: Batch; isCached: boolean } {
  if (body.runCount > MAX_RUNS)
    throw refused(`Batch size of ${body.runCount} is too large. Maximum allowed batch size is ${MAX_RUNS}.`);
  if (body.idempotencyKey !== undefined)
    for (const batch of engine.tables.batches.values())
      if (batch.idempotencyKey === body.idempotencyKey) return { batch, isCached: true };

  const now = engine.clock.now();
  const parent = findParent(engine, body);
  const { id } = BatchId.generate();
  const batch: Batch = {
    id,
    status: "PENDING",
    createdAt: now,
    updatedAt: now,
    runCount: body.runCount,
    parentId: parent?.id,
    resumeParent: body.resumeParentOnCompletion ?? false,
    idempotencyKey: body.idempotencyKey,
    items: {},
  };
  if (parent && batch.resumeParent) {
    const waitpoint = createWaitpoint(engine, { type: "BATCH", batchId: id });
    batch.waitpointId = waitpoint.id;
    block(engine, parent, waitpoint);
  }
  engine.tables.batches.save(batch);
  engine.timers.set("batch-abort", id, now + UNSEALED_LIFE_MS);
  return { batch, isCached: false };
}

function findParent(engine: Engine, body: CreateBatch): Run | undefined {
  const parent = body.parentRunId && engine.tables.runs.get(body.parentRunId.replace(/^run_/, ""));
  if (!parent) return undefined;
  if (body.resumeParentOnCompletion && isFinished(parent))
    throw refused(`Cannot trigger a batch as the parent run has a status of ${parent.status}`);
  return parent;
}

export interface Added {
  itemsAccepted: number;
  itemsDeduplicated: number;
  sealed: boolean;
}

/**
 * Second phase: adds items, each index once, and starts the batch when all have arrived.
 * @throws ApiError 400 for a line that is not an item, 422 for an index outside the batch
 */
export function addItems(engine: Engine, batch: Batch, lines: string[]): Added {
  if (batch.sealedAt !== undefined) return { itemsAccepted: 0, itemsDeduplicated: 0, sealed: true };
  let itemsDeduplicated = 0;
  const items = lines.map((line, at) => parseLine(line, at + 1, batch));
  for (const item of items) {
    if (batch.items[item.index]) itemsDeduplicated += 1;
    else {
      batch.items[item.index] = { task: item.task };
      const { task, payload, options } = item;
      engine.tables.batchItems.save({ id: `${batch.id}/${item.index}`, task, payload, options });
    }
  }
  const sealed = Object.keys(batch.items).length >= batch.runCount;
  if (sealed) {
    batch.sealedAt = engine.clock.now();
    batch.status = "PROCESSING";
    engine.timers.clear("batch-abort", batch.id);
    engine.timers.set("batch-items", batch.id, engine.clock.now());
  }
  saveBatch(engine, batch);
  return { itemsAccepted: items.length - itemsDeduplicated, itemsDeduplicated, sealed };
}

function parseLine(line: string, number: number, batch: Batch): z.output<typeof BatchItemNDJSON> {
  let json: unknown;
  try {
    json = JSON.parse(line);
  } catch {
    throw new ApiError(400, `Invalid JSON at line ${number}`);
  }
  const item = BatchItemNDJSON.safeParse(json);
  if (!item.success)
    throw new ApiError(
      400,
      `Invalid item at line ${number}: ${item.error.issues[0]?.message ?? "wrong shape"}`,
    );
  if (item.data.index >= batch.runCount)
    throw refused(`Item index ${item.data.index} exceeds batch runCount ${batch.runCount}`);
  return item.data;
}

/** Handler of the "batch-items" timer: triggers the next items. Each becomes a run in the batch that marks it done. */
export function processItems(engine: Engine, batch: Batch): void {
  const open = Object.entries(batch.items).filter(([, item]) => !item.runId && !item.error);
  for (const [index] of open.slice(0, ITEMS_A_TURN)) {
    const item = engine.tables.batchItems.get(`${batch.id}/${index}`);
    if (item) triggerItem(engine, batch, Number(index), item);
  }
  if (open.length > ITEMS_A_TURN) engine.timers.set("batch-items", batch.id, engine.clock.now());
  else {
    const failed = Object.values(batch.items).filter(({ error }) => error).length;
    batch.processedAt = engine.clock.now();
    batch.status = failed === 0 ? "PENDING" : failed === batch.runCount ? "ABORTED" : "PARTIAL_FAILED";
    engine.timers.set("batch-check", batch.id, engine.clock.now());
    if (isShortOfRuns(batch))
      engine.log(
        `batch_${batch.id} waits forever: two of its items have one key and so one run, as on the real server`,
      );
  }
  saveBatch(engine, batch);
}

function triggerItem(engine: Engine, batch: Batch, index: number, item: BatchItem): void {
  const state = batch.items[index];
  if (!state) return;
  const parent = batch.parentId === undefined ? {} : { parentRunId: `run_${batch.parentId}` };
  const options = { ...toOptions(item.options), ...parent, resumeParentOnCompletion: batch.resumeParent };
  const context = { batch: { id: batch.id, index } };
  try {
    state.runId = triggerRun(engine, item.task, { payload: item.payload, options }, context).runId;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    state.error = error.message;
    state.errorCode = "BATCH_ITEM_COULD_NOT_TRIGGER";
    state.runId = failedRun(engine, item.task, { payload: item.payload, options }, context, error.message);
  }
  engine.tables.batchItems.remove(item.id);
}

// The options were parsed when the item arrived; the store keeps them as plain JSON.
function toOptions(stored: unknown): Options {
  return BatchItemNDJSON.shape.options.parse(stored) ?? {};
}

/**
 * Whether two items are one run, because of their idempotency or debounce key. The real server counts distinct runs,
 * finds fewer than items, and never completes the batch
 * (internal-packages/run-engine/src/batch-queue/completionTracker.ts of triggerdotdev/trigger.dev).
 */
function isShortOfRuns(batch: Batch): boolean {
  return new Set(Object.values(batch.items).map(({ runId }) => runId)).size < batch.runCount;
}

/** Handler of the "batch-check" timer: the batch is complete when all its own runs are over. */
export function checkBatch(engine: Engine, batch: Batch): void {
  if (batch.processedAt === undefined || batch.status === "COMPLETED" || isShortOfRuns(batch)) return;
  for (const { runId } of Object.values(batch.items)) {
    const run = runId === undefined ? undefined : engine.tables.runs.get(runId);
    if (run?.batchId === batch.id && !isFinished(run)) return;
  }
  if (batch.status !== "ABORTED") batch.status = "COMPLETED";
  saveBatch(engine, batch);
  const waitpoint = batch.waitpointId && engine.tables.waitpoints.get(batch.waitpointId);
  if (waitpoint)
    completeWaitpoint(engine, waitpoint, { output: "Batch waitpoint completed", outputIsError: false });
}

/** Handler of the "batch-abort" timer: the items never arrived. */
export function abortUnsealed(engine: Engine, batch: Batch): void {
  if (batch.sealedAt !== undefined) return;
  batch.status = "ABORTED";
  batch.sealedAt = engine.clock.now();
  batch.processedAt = engine.clock.now();
  saveBatch(engine, batch);
  const waitpoint = batch.waitpointId && engine.tables.waitpoints.get(batch.waitpointId);
  const message = "The batch was not sealed in time";
  if (waitpoint)
    completeWaitpoint(engine, waitpoint, {
      output: JSON.stringify({ type: "STRING_ERROR", raw: message }),
      outputIsError: true,
    });
}

function saveBatch(engine: Engine, batch: Batch): void {
  batch.updatedAt = engine.clock.now();
  engine.tables.batches.save(batch);
}

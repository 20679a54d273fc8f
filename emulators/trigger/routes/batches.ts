import {
  CreateBatchRequestBody,
  CreateBatchResponse,
  RetrieveBatchResponse,
  RetrieveBatchV2Response,
  StreamBatchItemsResponse,
} from "@trigger.dev/core/v3";
import { BatchId } from "@trigger.dev/core/v3/isomorphic";
import { type Context, Hono } from "hono";
import { answer, readBody } from "../answer.ts";
import { addItems, createBatch } from "../engine/batches.ts";
import type { Engine } from "../engine/engine.ts";
import { ApiError } from "../errors.ts";
import type { Server } from "../server.ts";
import type { Batch } from "../store/records.ts";

/** Batches in two phases: first their size, then their items as a stream of JSON lines. */
export function batchRoutes({ engine }: Server): Hono {
  const app = new Hono();

  app.post("/api/v3/batches", async (c) => {
    const body = await readBody(c, CreateBatchRequestBody);
    const { batch, isCached } = createBatch(engine, body);
    const id = `batch_${batch.id}`;
    const claims = { sub: engine.environment.id, pub: true, scopes: [`read:batch:${id}`] };
    return answer(
      c,
      CreateBatchResponse,
      { id, runCount: batch.runCount, isCached, idempotencyKey: body.idempotencyKey },
      isCached ? 200 : 202,
      { "x-trigger-jwt-claims": JSON.stringify(claims) },
    );
  });

  app.post("/api/v3/batches/:batch/items", async (c) => {
    if (!/^application\/(x-)?ndjson\b/.test(c.req.header("content-type") ?? ""))
      throw new ApiError(415, "Content-Type must be application/x-ndjson or application/ndjson");
    const batch = findBatch(engine, c);
    const lines = (await c.req.text()).split("\n").filter((line) => line.trim() !== "");
    const added = addItems(engine, batch, lines);
    return answer(c, StreamBatchItemsResponse, {
      id: `batch_${batch.id}`,
      ...added,
      ...(added.sealed
        ? {}
        : { enqueuedCount: Object.keys(batch.items).length, expectedCount: batch.runCount }),
    });
  });

  app.get("/api/v2/batches/:batch", (c) => {
    const batch = findBatch(engine, c);
    const errors = Object.entries(batch.items).flatMap(([index, { error, errorCode, task }]) =>
      error === undefined ? [] : [{ index: Number(index), taskIdentifier: task, error, errorCode }],
    );
    return answer(c, RetrieveBatchV2Response, {
      ...presented(batch),
      processing: { completedAt: batch.processedAt && new Date(batch.processedAt), errors },
    });
  });

  app.get("/api/v1/batches/:batch", (c) => answer(c, RetrieveBatchResponse, presented(findBatch(engine, c))));

  return app;
}

function presented(batch: Batch) {
  const runs = new Set(Object.values(batch.items).flatMap(({ runId }) => (runId ? [`run_${runId}`] : [])));
  return {
    id: `batch_${batch.id}`,
    status: batch.status,
    idempotencyKey: batch.idempotencyKey,
    createdAt: new Date(batch.createdAt),
    updatedAt: new Date(batch.updatedAt),
    runCount: batch.runCount,
    runs: batch.processedAt === undefined ? [] : [...runs],
  };
}

function findBatch(engine: Engine, c: Context): Batch {
  const batch = engine.tables.batches.get(BatchId.toId(c.req.param("batch") ?? ""));
  if (!batch) throw new ApiError(404, "Batch not found");
  return batch;
}

import type { CompletedWaitpoint, RunExecutionData } from "@trigger.dev/core/v3";
import type { z } from "zod";
import type { Engine } from "../engine/engine.ts";
import type { Run, Waitpoint } from "../store/records.ts";

type ExecutionData = z.input<typeof RunExecutionData>;

export function snapshotOf({ snapshot }: Run): ExecutionData["snapshot"] {
  return {
    id: snapshot.id,
    friendlyId: `snapshot_${snapshot.id}`,
    executionStatus: snapshot.status,
    description: snapshot.description,
    createdAt: new Date(snapshot.createdAt),
  };
}

export function runOf(run: Run): ExecutionData["run"] {
  return {
    id: run.id,
    friendlyId: `run_${run.id}`,
    status: run.status,
    attemptNumber: run.attemptNumber ?? null,
  };
}

/** What the process that executes a run requests: its latest state, and the waits that have ended. */
export function executionData(engine: Engine, run: Run): ExecutionData {
  const completed = run.snapshot.completed.flatMap(({ id, index }) => {
    const waitpoint = engine.tables.waitpoints.get(id);
    return waitpoint ? [completedWaitpoint(waitpoint, index)] : [];
  });
  const batchId = completed.find(({ completedByBatch }) => completedByBatch)?.completedByBatch;
  return {
    version: "1",
    snapshot: snapshotOf(run),
    run: runOf(run),
    ...(batchId && { batch: batchId }),
    completedWaitpoints: completed,
  };
}

function completedWaitpoint(
  waitpoint: Waitpoint,
  index: number | undefined,
): z.input<typeof CompletedWaitpoint> {
  const { childRunId, batchId } = waitpoint;
  const batch = batchId && { id: batchId, friendlyId: `batch_${batchId}` };
  return {
    id: waitpoint.id,
    index,
    friendlyId: `waitpoint_${waitpoint.id}`,
    type: waitpoint.type,
    completedAt: new Date(waitpoint.completedAt ?? 0),
    idempotencyKey: waitpoint.idempotencyKey,
    ...(childRunId && {
      completedByTaskRun: { id: childRunId, friendlyId: `run_${childRunId}`, ...(batch && { batch }) },
    }),
    ...(waitpoint.type === "DATETIME" && { completedAfter: new Date(waitpoint.dueAt ?? 0) }),
    ...(waitpoint.type === "BATCH" && batch && { completedByBatch: batch }),
    output: waitpoint.output,
    outputType: waitpoint.outputType,
    outputIsError: waitpoint.outputIsError,
  };
}

import {
  DevDequeueRequestBody,
  DevDequeueResponseBody,
  DevDisconnectRequestBody,
  DevDisconnectResponseBody,
  FlushedRunMetadata,
  type TaskRunExecutionResult,
} from "@trigger.dev/core/v3";
import { BackgroundWorkerId, RunId, SnapshotId } from "@trigger.dev/core/v3/isomorphic";
import { generateJWT } from "@trigger.dev/core/v3/jwt";
import { parsePacket } from "@trigger.dev/core/v3/utils/ioSerialization";
import {
  WorkloadHeartbeatRequestBody,
  WorkloadHeartbeatResponseBody,
  WorkloadRunAttemptCompleteRequestBody,
  WorkloadRunAttemptCompleteResponseBody,
  WorkloadRunAttemptStartRequestBody,
  WorkloadRunAttemptStartResponseBody,
  WorkloadRunLatestSnapshotResponseBody,
} from "@trigger.dev/core/v3/workers";
import { Hono } from "hono";
import { answer, readBody, readOptionalBody } from "../answer.ts";
import { completeAttempt, heartbeat, startAttempt } from "../engine/attempts.ts";
import { cancelRun } from "../engine/cancel-run.ts";
import { type Dequeued, dequeue } from "../engine/dequeue.ts";
import { dispelDoubt } from "../engine/doubt.ts";
import { isFinished } from "../engine/snapshots.ts";
import { isOutdated } from "../engine/workers.ts";
import { environmentVariables } from "../environment-variables.ts";
import { ApiError } from "../errors.ts";
import { findOwnRun } from "../find-run.ts";
import { firstAbort } from "../first-abort.ts";
import { dequeuedMessage, execution, machineOf } from "../present/execution.ts";
import { executionData, runOf, snapshotOf } from "../present/snapshot.ts";
import type { Server } from "../server.ts";
import type { Run } from "../store/records.ts";

const POLL_MS = 10_000;
const MAX_DISCONNECTED = 500;
const LEAVES_PROCESS = new Set(["RUN_FINISHED", "RETRY_QUEUED"]);

/** The requests with which the CLI dequeues runs and reports on them. */
export function devRunRoutes(server: Server): Hono {
  const { engine } = server;
  const app = new Hono();

  app.post("/engine/v1/dev/dequeue", async (c) => {
    const { currentWorker: newestKnown } = await readBody(c, DevDequeueRequestBody);
    const taken = await nextRun(server, newestKnown, c.req.raw.signal);
    return answer(c, DevDequeueResponseBody, {
      dequeuedMessages: taken ? [dequeuedMessage(engine, taken)] : [],
    });
  });

  app.post("/engine/v1/dev/disconnect", async (c) => {
    const { runFriendlyIds } = await readBody(c, DevDisconnectRequestBody);
    if (runFriendlyIds.length > MAX_DISCONNECTED) throw new ApiError(400, "Too many runs");
    const runs = runFriendlyIds.flatMap((id) => engine.tables.runs.get(RunId.toId(id)) ?? []);
    const open = runs.filter((run) => !isFinished(run));
    for (const run of open)
      cancelRun(engine, run, { reason: "Dev session ended (CLI exited)", finalize: true });
    return answer(c, DevDisconnectResponseBody, { cancelled: open.length });
  });

  app.post("/engine/v1/dev/runs/:run/snapshots/:snapshot/attempts/start", async (c) => {
    await readOptionalBody(c, WorkloadRunAttemptStartRequestBody);
    const run = findOwnRun(engine, c);
    startAttempt(engine, run, SnapshotId.toId(c.req.param("snapshot")));
    const worker = engine.tables.workers.get(run.workerId ?? "");
    if (!worker) throw new ApiError(400, "Task run is not locked");
    return answer(c, WorkloadRunAttemptStartResponseBody, {
      run: runOf(run),
      snapshot: snapshotOf(run),
      execution: execution(engine, run, worker),
      envVars: { ...environmentVariables(server), ...(await runVariables(server, run)) },
    });
  });

  app.post("/engine/v1/dev/runs/:run/snapshots/:snapshot/attempts/complete", async (c) => {
    const { completion } = await readBody(c, WorkloadRunAttemptCompleteRequestBody);
    const metadata = await flushedMetadata(completion);
    const run = findOwnRun(engine, c);
    const attemptStatus = completeAttempt(
      engine,
      run,
      SnapshotId.toId(c.req.param("snapshot")),
      completion,
      metadata,
    );
    if (LEAVES_PROCESS.has(attemptStatus))
      engine.processes.giveBack(run.id, engine.clock.now(), completion.usage?.durationMs ?? 0);
    return answer(c, WorkloadRunAttemptCompleteResponseBody, {
      result: { attemptStatus, snapshot: snapshotOf(run), run: runOf(run) },
    });
  });

  app.post("/engine/v1/dev/runs/:run/snapshots/:snapshot/heartbeat", async (c) => {
    await readBody(c, WorkloadHeartbeatRequestBody);
    heartbeat(engine, findOwnRun(engine, c), SnapshotId.toId(c.req.param("snapshot")));
    return answer(c, WorkloadHeartbeatResponseBody, { ok: true });
  });

  app.get("/engine/v1/dev/runs/:run/snapshots/latest", (c) => {
    const run = findOwnRun(engine, c);
    dispelDoubt(engine, run);
    return answer(c, WorkloadRunLatestSnapshotResponseBody, { execution: executionData(engine, run) });
  });

  app.post("/engine/v1/dev/runs/:run/logs/debug", (c) => c.body(null, 204));

  return app;
}

/**
 * The next run, as soon as there is one. Undefined after ten seconds, when the client disconnects, or when there is a
 * newer version than the client knows, because it would fail a run of that version.
 */
async function nextRun(
  { engine, work, closing }: Server,
  newestKnown: string,
  client: AbortSignal,
): Promise<Dequeued | undefined> {
  const timeout = new AbortController();
  const stop = engine.clock.after(POLL_MS, () => timeout.abort());
  const { signal, release } = firstAbort(client, closing, timeout.signal);
  try {
    while (!signal.aborted && !isOutdated(engine, BackgroundWorkerId.toId(newestKnown))) {
      const taken = dequeue(engine);
      if (taken) return taken;
      await work.wait(signal);
    }
    return undefined;
  } finally {
    stop();
    release();
  }
}

/** The metadata changes that the process had not sent yet when the attempt ended. */
async function flushedMetadata({ flushedMetadata: flushed, metadata }: TaskRunExecutionResult) {
  if (!flushed?.data) return metadata;
  return FlushedRunMetadata.safeParse(await parsePacket(flushed)).data;
}

async function runVariables({ engine, secretKey }: Server, run: Run): Promise<Record<string, string>> {
  return {
    TRIGGER_JWT: await generateJWT({
      secretKey,
      payload: { environment_id: engine.environment.id, run_id: run.id },
    }),
    TRIGGER_RUN_ID: run.id,
    TRIGGER_MACHINE_PRESET: machineOf(run).name,
  };
}

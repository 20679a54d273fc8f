import type { ReplayRunRequestBody } from "@trigger.dev/core/v3";
import type { z } from "zod";
import type { Run } from "../store/records.ts";
import type { Engine } from "./engine.ts";
import type { TriggerBody } from "./trigger-options.ts";
import { triggerRun } from "./trigger-run.ts";

type Changes = z.output<typeof ReplayRunRequestBody>;

/** Triggers a run again: the same task, payload, queue and tags unless changed; returns the new run's id. */
export function replayRun(engine: Engine, run: Run, changes: Changes = {}): string {
  const options: TriggerBody["options"] = {
    payloadType: changes.payload === undefined ? run.payloadType : changes.payloadType,
    queue: { name: changes.queue ?? run.queue },
    concurrencyKey: changes.concurrencyKey ?? run.concurrencyKey,
    test: run.isTest,
    tags: changes.tags ?? run.tags,
    metadata: changes.metadata ?? run.seedMetadata,
    machine: changes.machine ?? run.machine,
    lockToVersion: changes.version === "latest" ? undefined : changes.version,
    delay: changes.delay,
    ttl: changes.ttl,
    idempotencyKey: changes.idempotencyKey,
    idempotencyKeyTTL: changes.idempotencyKeyTTL,
    maxAttempts: changes.maxAttempts,
    maxDuration: changes.maxDuration,
    priority: changes.priority,
  };
  const context = { replayOf: `run_${run.id}`, realtimeStreamsVersion: run.realtimeStreamsVersion };
  return triggerRun(engine, run.task, { payload: changes.payload ?? payloadOf(run), options }, context).runId;
}

function payloadOf({ payload, payloadType }: Run): unknown {
  return payloadType === "application/json" && payload !== undefined ? JSON.parse(payload) : payload;
}

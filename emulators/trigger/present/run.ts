import {
  createJsonErrorObject,
  type ListRunResponseItem,
  type RetrieveRunResponse,
} from "@trigger.dev/core/v3";
import { parsePacketAsJson } from "@trigger.dev/core/v3/utils/ioSerialization";
import type { z } from "zod";
import type { Engine } from "../engine/engine.ts";
import type { Run } from "../store/records.ts";
import { statusHelpers, toPublicStatus } from "./status.ts";

export type Retrieved = z.input<typeof RetrieveRunResponse>;
export type Listed = z.input<typeof ListRunResponseItem>;

/** The response of `runs.retrieve`. `signUrl` returns the URL of a payload or output that is stored separately. */
export async function retrievedRun(
  engine: Engine,
  run: Run,
  signUrl: (path: string) => string,
): Promise<Retrieved> {
  const { runs } = engine.tables;
  const parent = run.parentId === undefined ? undefined : runs.get(run.parentId);
  const root = run.rootId === undefined ? undefined : runs.get(run.rootId);
  const children = [...engine.index.children(run.id)].flatMap((id) => runs.get(id) ?? []);
  const schedule = run.scheduleId === undefined ? undefined : engine.tables.schedules.get(run.scheduleId);
  const payload = await readPacket(run.payload, run.payloadType, signUrl);
  const output =
    run.status === "COMPLETED_SUCCESSFULLY" && (await readPacket(run.output, run.outputType, signUrl));
  return {
    ...related(run),
    payload: payload.value,
    payloadPresignedUrl: payload.url,
    ...(output && { output: output.value, outputPresignedUrl: output.url }),
    error: run.error && createJsonErrorObject(run.error),
    schedule: schedule && {
      id: schedule.id,
      externalId: schedule.externalId,
      deduplicationKey: schedule.deduplicationKey,
      generator: { type: "CRON", expression: schedule.cron, description: schedule.cron },
    },
    attemptCount: run.attemptNumber ?? 0,
    relatedRuns: {
      root: root && related(root),
      parent: parent && related(parent),
      children: children.map((child) => related(child)),
    },
  };
}

/** One row of `runs.list`. */
export function listedRun({ environment }: Engine, run: Run): Listed {
  return { ...common(run), env: { id: environment.id, name: environment.slug } };
}

async function readPacket(
  data: string | undefined,
  dataType: string | undefined,
  signUrl: (path: string) => string,
) {
  if (dataType === "application/store" && data !== undefined) return { url: signUrl(data) };
  return { value: await parsePacketAsJson({ data, dataType: dataType ?? "application/json" }) };
}

function related(run: Run) {
  const waits = run.resumeParent;
  return {
    ...common(run),
    depth: run.depth,
    triggerFunction:
      run.batchId === undefined
        ? waits
          ? ("triggerAndWait" as const)
          : ("trigger" as const)
        : waits
          ? ("batchTriggerAndWait" as const)
          : ("batchTrigger" as const),
    batchId: run.batchId && `batch_${run.batchId}`,
  };
}

function common(run: Run) {
  const status = toPublicStatus(run.status);
  return {
    id: `run_${run.id}`,
    status,
    ...statusHelpers(status),
    taskIdentifier: run.task,
    idempotencyKey: run.idempotencyKeyOptions?.key ?? run.idempotencyKey,
    version: run.version,
    isTest: run.isTest,
    createdAt: new Date(run.createdAt),
    updatedAt: new Date(run.updatedAt),
    startedAt: date(run.startedAt),
    finishedAt: date(run.finishedAt),
    delayedUntil: date(run.delayUntil),
    ttl: run.ttl,
    expiredAt: date(run.expiredAt),
    tags: run.tags,
    costInCents: 0,
    baseCostInCents: 0,
    durationMs: run.usageMs,
    metadata: run.metadata === undefined ? undefined : JSON.parse(run.metadata),
    taskKind: run.scheduleId === undefined ? "STANDARD" : "SCHEDULED",
  };
}

function date(time: number | undefined): Date | undefined {
  return time === undefined ? undefined : new Date(time);
}

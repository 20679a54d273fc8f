import { friendlyId } from "../engine/engine.ts";
import type { Run } from "../store/records.ts";

type Column = { type: "text" | "timestamp" | "int4" | "float8" | "bool" | "jsonb"; dims?: 1 };

const text: Column = { type: "text" };
const timestamp: Column = { type: "timestamp" };

/** The columns of a run that `runs.subscribeToRun` reads, with the types that tell it how to decode them. */
const columns: Record<string, Column> = {
  id: text,
  taskIdentifier: text,
  friendlyId: text,
  status: text,
  createdAt: timestamp,
  updatedAt: timestamp,
  startedAt: timestamp,
  delayUntil: timestamp,
  expiredAt: timestamp,
  completedAt: timestamp,
  number: { type: "int4" },
  isTest: { type: "bool" },
  usageDurationMs: { type: "int4" },
  costInCents: { type: "float8" },
  baseCostInCents: { type: "float8" },
  ttl: text,
  payload: text,
  payloadType: text,
  metadata: text,
  metadataType: text,
  output: text,
  outputType: text,
  runTags: { type: "text", dims: 1 },
  error: { type: "jsonb" },
  realtimeStreams: { type: "text", dims: 1 },
};

export const shapeSchema = JSON.stringify(columns);

/** A run as a row of Electric's HTTP protocol: every value is the text that Postgres would print. */
export function runRow(run: Run): Record<string, string | null> {
  return {
    id: run.id,
    taskIdentifier: run.task,
    friendlyId: friendlyId(run),
    status: run.status,
    createdAt: time(run.createdAt),
    updatedAt: time(run.updatedAt),
    startedAt: time(run.startedAt),
    delayUntil: time(run.delayUntil),
    expiredAt: time(run.expiredAt),
    completedAt: time(run.finishedAt),
    number: String(run.seq),
    isTest: run.isTest ? "t" : "f",
    usageDurationMs: String(Math.round(run.usageMs)),
    costInCents: "0",
    baseCostInCents: "0",
    ttl: run.ttl ?? null,
    payload: run.payload ?? null,
    payloadType: run.payloadType,
    metadata: run.metadata ?? null,
    metadataType: "application/json",
    output: run.output ?? null,
    outputType: run.outputType ?? "application/json",
    runTags: array(run.tags),
    error: run.error ? JSON.stringify(run.error) : null,
    realtimeStreams: "{}",
  };
}

/** Without a zone: the SDK adds the Z. */
function time(ms: number | undefined): string | null {
  return ms === undefined ? null : new Date(ms).toISOString().slice(0, -1);
}

function array(values: string[]): string {
  return `{${values.map((value) => `"${value.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`).join(",")}}`;
}

import type { LevelStore } from "./level-store.ts";
import {
  Batch,
  BatchItem,
  EnvVar,
  IdempotencyRecord,
  Identity,
  Limit,
  Packet,
  Queue,
  Run,
  RunLog,
  Schedule,
  Waitpoint,
  Worker,
} from "./records.ts";
import { Table } from "./table.ts";

export type Tables = Awaited<ReturnType<typeof loadTables>>;

/** Reads everything in the folder; throws if an incompatible version wrote a record. */
export async function loadTables(store: LevelStore) {
  const tables = {
    runs: new Table("run", Run, store),
    workers: new Table("worker", Worker, store),
    queues: new Table("queue", Queue, store),
    limits: new Table("limit", Limit, store),
    idempotency: new Table("idempotency", IdempotencyRecord, store),
    waitpoints: new Table("waitpoint", Waitpoint, store),
    batches: new Table("batch", Batch, store),
    batchItems: new Table("item", BatchItem, store),
    schedules: new Table("schedule", Schedule, store),
    packets: new Table("packet", Packet, store),
    logs: new Table("log", RunLog, store),
    envVars: new Table("env", EnvVar, store),
    identity: new Table("identity", Identity, store),
  };
  const byName = new Map<string, { load(json: string): void }>(
    Object.values(tables).map((table) => [table.name, table]),
  );
  for await (const [key, json] of store.entries()) {
    try {
      byName.get(key.slice(0, key.indexOf("!")))?.load(json);
    } catch (error) {
      throw new Error(`the stored record ${key} was not written by this version; remove the data folder`, {
        cause: error,
      });
    }
  }
  return tables;
}

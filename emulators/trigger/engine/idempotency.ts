import type { Run } from "../store/records.ts";
import type { Engine } from "./engine.ts";

const DEFAULT_TTL_MS = 30 * 86_400_000;
const unit = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** A run that ended like this has not done what the key protects, so the key starts a new one. */
const releasing = new Set([
  "COMPLETED_WITH_ERRORS",
  "CRASHED",
  "SYSTEM_FAILURE",
  "INTERRUPTED",
  "TIMED_OUT",
  "EXPIRED",
]);

/** A ttl of any form other than 30s, 5m, 12h or 7d is ignored: 30 days. */
export function expiryOf(ttl: string | undefined, now: number): number {
  const match = /^(\d+)([smhd])$/.exec(ttl ?? "");
  const letter = match?.[2];
  if (!match || !isUnit(letter)) return now + DEFAULT_TTL_MS;
  return now + Number(match[1]) * unit[letter];
}

function isUnit(letter: string | undefined): letter is keyof typeof unit {
  return letter !== undefined && letter in unit;
}

/** The id of the key's run. A key that has expired or whose run failed is free again. */
export function lookUp(engine: Engine, task: string, key: string): string | undefined {
  const id = recordId(task, key);
  const record = engine.tables.idempotency.get(id);
  if (!record) return undefined;
  const run = engine.tables.runs.get(record.runId);
  if (record.expiresAt > engine.clock.now() && !(run && releasing.has(run.status))) return record.runId;
  engine.tables.idempotency.remove(id);
  if (run) forgetKey(engine, run);
  return undefined;
}

export function remember(engine: Engine, run: Run): void {
  const { idempotencyKey: key, idempotencyKeyExpiresAt: expiresAt, task } = run;
  if (key === undefined || expiresAt === undefined) return;
  engine.tables.idempotency.save({ id: recordId(task, key), key, task, runId: run.id, expiresAt });
}

/** Frees a key by hand; false if it had no run. */
export function reset(engine: Engine, task: string, key: string): boolean {
  const id = recordId(task, key);
  const record = engine.tables.idempotency.get(id);
  if (!record) return false;
  engine.tables.idempotency.remove(id);
  const run = engine.tables.runs.get(record.runId);
  if (run) forgetKey(engine, run);
  return true;
}

/** Deletes expired keys. */
export function sweepKeys(engine: Engine): void {
  const now = engine.clock.now();
  for (const record of engine.tables.idempotency.values())
    if (record.expiresAt <= now) engine.tables.idempotency.remove(record.id);
}

/** Called before a run is forgotten: the key of a failed run must not outlive the knowledge that it failed. */
export function releaseKeyOf(engine: Engine, run: Run): void {
  if (run.idempotencyKey !== undefined && releasing.has(run.status)) {
    const id = recordId(run.task, run.idempotencyKey);
    if (engine.tables.idempotency.get(id)?.runId === run.id) engine.tables.idempotency.remove(id);
  }
}

function forgetKey(engine: Engine, run: Run): void {
  run.idempotencyKey = undefined;
  run.idempotencyKeyExpiresAt = undefined;
  engine.tables.runs.save(run);
}

function recordId(task: string, key: string): string {
  return JSON.stringify([task, key]);
}

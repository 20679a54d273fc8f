import type { Run } from "../store/records.ts";
import type { Engine } from "./engine.ts";
import { releaseKeyOf, sweepKeys } from "./idempotency.ts";
import { isFinished } from "./snapshots.ts";

export const SWEEP_EVERY_MS = 10 * 60_000;
const KEEP_UNUSED_MS = 86_400_000;
const KEEP_TOKENS_MS = 30 * 86_400_000;

/**
 * Deletes the oldest finished runs beyond the limits, and what belonged to them. Idempotency keys stay until they
 * expire: a key whose run is deleted still returns that run's id.
 */
export function sweep(engine: Engine): void {
  const { runs } = engine.tables;
  const finished = [...runs.values()].filter(isFinished);
  finished.sort((a, b) => endOf(b) - endOf(a));
  let bytes = 0;
  for (const [position, run] of finished.entries()) {
    bytes += size(run);
    if (position < engine.limits.finishedRuns && bytes <= engine.limits.finishedBytes) continue;
    if (isAwaited(engine, run)) continue;
    releaseKeyOf(engine, run);
    engine.index.remove(run);
    runs.remove(run.id);
    engine.tables.logs.remove(run.id);
  }
  sweepKeys(engine);
  sweepWaitpoints(engine);
  sweepBatches(engine);
  sweepPackets(engine);
}

function sweepPackets(engine: Engine): void {
  const { packets, runs } = engine.tables;
  const old = engine.clock.now() - KEEP_UNUSED_MS;
  const used = new Set([...runs.values()].flatMap(({ payload, output }) => [payload, output]));
  for (const packet of packets.values())
    if (packet.createdAt < old && !used.has(packet.id)) packets.remove(packet.id);
}

function sweepBatches(engine: Engine): void {
  const { batches, runs } = engine.tables;
  const old = engine.clock.now() - KEEP_UNUSED_MS;
  for (const batch of batches.values()) {
    const known = Object.values(batch.items).some(({ runId }) => runId && runs.get(runId));
    if (batch.processedAt !== undefined && batch.createdAt < old && !known) batches.remove(batch.id);
  }
}

function isAwaited(engine: Engine, run: Run): boolean {
  const parent = run.parentId === undefined ? undefined : engine.tables.runs.get(run.parentId);
  return parent !== undefined && !isFinished(parent);
}

function sweepWaitpoints(engine: Engine): void {
  const now = engine.clock.now();
  for (const waitpoint of engine.tables.waitpoints.values()) {
    if (waitpoint.completedAt === undefined) continue;
    const awaited = waitpoint.waiters.some((id) => {
      const run = engine.tables.runs.get(id);
      return run !== undefined && !isFinished(run);
    });
    const kept = waitpoint.type === "MANUAL" && waitpoint.completedAt + KEEP_TOKENS_MS > now;
    const keyed = (waitpoint.idempotencyKeyExpiresAt ?? 0) > now;
    if (!awaited && !kept && !keyed) engine.tables.waitpoints.remove(waitpoint.id);
  }
}

/** A run that was canceled before it started has no end time. */
function endOf(run: Run): number {
  return run.finishedAt ?? run.snapshot.createdAt;
}

function size(run: Run): number {
  return (run.payload?.length ?? 0) + (run.output?.length ?? 0) + (run.metadata?.length ?? 0) + 1_000;
}

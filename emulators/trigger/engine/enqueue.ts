import { parseNaturalLanguageDurationInMs } from "@trigger.dev/core/v3/isomorphic";
import type { Run } from "../store/records.ts";
import { duration, report } from "./describe.ts";
import type { Engine } from "./engine.ts";
import { finishRun } from "./finish-run.ts";
import { setSnapshot } from "./snapshots.ts";

/** Adds a run to its queue. Its ttl counts from the first time. */
export function enqueue(engine: Engine, run: Run): void {
  const now = engine.clock.now();
  engine.timers.clear("delay", run.id);
  engine.index.forgetDebounced(run);
  run.status = "PENDING";
  if (run.ttl !== undefined && run.ttlAt === undefined) {
    const ms = parseNaturalLanguageDurationInMs(run.ttl);
    if (ms !== undefined) run.ttlAt = now + ms;
  }
  if (run.ttlAt !== undefined) engine.timers.set("ttl", run.id, run.ttlAt);
  setSnapshot(engine, run, "QUEUED", "Run was QUEUED");
  report(engine, run, "queued");
}

/** Holds a new run back until `at`. */
export function delay(engine: Engine, run: Run, at: number): void {
  run.delayUntil = at;
  run.status = "DELAYED";
  engine.timers.set("delay", run.id, at);
  setSnapshot(engine, run, "DELAYED", "Run is delayed");
  report(engine, run, `delayed by ${duration(at - engine.clock.now())}`);
}

/** Handler of the "delay" timer. */
export function endDelay(engine: Engine, run: Run): void {
  if (run.status !== "DELAYED") return;
  run.queueTimestamp = engine.clock.now();
  enqueue(engine, run);
}

/** Handler of the "ttl" timer: only a run that no worker has dequeued yet expires. */
export function expire(engine: Engine, run: Run): void {
  if (run.status !== "PENDING" || run.workerId !== undefined) return;
  run.expiredAt = engine.clock.now();
  finishRun(engine, run, {
    status: "EXPIRED",
    error: { type: "STRING_ERROR", raw: `Run expired because the TTL (${run.ttl}) was reached` },
    description: "Run was expired because the TTL was reached",
  });
}

import type { Log } from "@aftercommit/local-shared/log.ts";
import type { Clock } from "../clock.ts";
import { findPlace } from "../environment.ts";
import { Scheduler } from "../scheduler.ts";
import type { LevelStore } from "../store/level-store.ts";
import type { Run } from "../store/records.ts";
import { loadTables } from "../store/tables.ts";
import type { Engine, Limits } from "./engine.ts";
import { Presence } from "./presence.ts";
import { Processes } from "./processes.ts";
import { QueueIndex } from "./queue-index.ts";
import { RunIndex } from "./run-index.ts";
import { handleTimers, rearmTimers } from "./timers.ts";

/** Loads the stored state and continues from it. */
export async function createEngine(
  store: LevelStore,
  options: { clock: Clock; log: Log; limits: Limits; wake: () => void; notify: (run: Run) => void },
): Promise<Engine> {
  const tables = await loadTables(store);
  const { clock, log, limits, wake } = options;
  let seq = 0;
  const engine: Engine = {
    ...findPlace(tables),
    clock,
    log,
    limits,
    wake,
    notify: options.notify,
    tables,
    timers: new Scheduler(clock),
    queue: new QueueIndex(),
    index: new RunIndex(),
    restored: new Set([...tables.runs.values()].map(({ snapshot }) => snapshot.id)),
    doubted: new Set(),
    presence: new Presence(clock),
    processes: new Processes(limits.processPatienceMs),
    nextSeq: () => ++seq,
  };
  const runs = [...tables.runs.values()].sort((a, b) => a.seq - b.seq);
  for (const run of runs) {
    engine.queue.enter(run);
    engine.index.add(run);
  }
  seq = [...runs, ...tables.workers.values()].reduce((highest, row) => Math.max(highest, row.seq), 0);
  handleTimers(engine);
  rearmTimers(engine);
  await store.commit();
  return engine;
}

import { availableParallelism } from "node:os";
import type { Log } from "@aftercommit/local-shared/log.ts";
import type { Clock } from "../clock.ts";
import type { Place } from "../environment.ts";
import type { Scheduler } from "../scheduler.ts";
import type { Run } from "../store/records.ts";
import type { Tables } from "../store/tables.ts";
import type { Presence } from "./presence.ts";
import type { Processes } from "./processes.ts";
import type { QueueIndex } from "./queue-index.ts";
import type { RunIndex } from "./run-index.ts";

/**
 * What every transition works on. Transitions are synchronous: what they change is visible together,
 * and is written as one batch before anyone is told.
 */
export interface Engine extends Place {
  clock: Clock;
  timers: Scheduler;
  tables: Tables;
  queue: QueueIndex;
  index: RunIndex;
  presence: Presence;
  processes: Processes;
  /** Ids of the runs whose holder may have gone, until it is heard of. */
  doubted: Set<string>;
  /** Ids of the snapshots that a former process made. */
  restored: ReadonlySet<string>;
  log: Log;
  limits: Limits;
  /** Tells the CLI that runs this run, once the change is stored, that there is a new snapshot. */
  notify(run: Run): void;
  /** Called when a run may have become ready to be dequeued. */
  wake(): void;
  nextSeq(): number;
}

export interface Limits {
  /**
   * Runs that execute at the same time. Each has a process, so by default it depends on the machine. Runs that
   * wait for others do not count: unlike on the real server, parents cannot starve their children of places.
   */
  concurrency: number;
  /** How long a run waits for a process that is busy, in milliseconds, until it is known how long a start takes. */
  processPatienceMs: number;
  /** Finished runs that are kept, and the characters of their payloads and outputs; the oldest go first. */
  finishedRuns: number;
  finishedBytes: number;
}

export const defaultLimits: Limits = {
  concurrency: Math.max(10, 5 * availableParallelism()),
  processPatienceMs: 0,
  finishedRuns: 10_000,
  finishedBytes: 256 * 1024 * 1024,
};

export function friendlyId(run: { id: string }): string {
  return `run_${run.id}`;
}

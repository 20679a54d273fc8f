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
 * The state of every transition. Transitions are synchronous: their changes become visible together, and are written as
 * one batch before anyone is notified.
 */
export interface Engine extends Place {
  clock: Clock;
  timers: Scheduler;
  tables: Tables;
  queue: QueueIndex;
  index: RunIndex;
  presence: Presence;
  processes: Processes;
  /** Ids of the runs whose owner may be gone, until it sends something. */
  doubted: Set<string>;
  /** Ids of the snapshots that a previous process created. */
  restored: ReadonlySet<string>;
  log: Log;
  limits: Limits;
  /** Tells the CLI that executes this run, once the change is stored, that there is a new snapshot. */
  notify(run: Run): void;
  /** Called when a run may have become ready to be dequeued. */
  wake(): void;
  nextSeq(): number;
}

export interface Limits {
  /**
   * How many runs execute at the same time. Each has a process, so the default depends on the machine. Runs that wait
   * for others do not count: unlike on the real server, parents cannot starve their children of slots.
   */
  concurrency: number;
  /** How long a run waits for a busy process, in milliseconds, until it is known how long a start takes. */
  processPatienceMs: number;
  /**
   * The limits on kept finished runs, and on the characters of their payloads and outputs. The oldest are deleted
   * first.
   */
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

import type { Queue, Run } from "../store/records.ts";

interface Entry {
  runId: string;
  score: number;
  seq: number;
}

interface Line {
  queue: string;
  waiting: Entry[];
  running: number;
}

/** In these states a run holds a place of its queue's concurrency limit; a cancelled one has given it back. */
const holding = new Set(["PENDING_EXECUTING", "EXECUTING", "EXECUTING_WITH_WAITPOINTS"]);

/**
 * Who waits and how many run, per queue and concurrency key; derived from the runs' snapshots.
 * Each concurrency key has a line of its own with its own copy of the queue's limit
 * (https://trigger.dev/docs/queue-concurrency).
 */
export class QueueIndex {
  readonly #lines = new Map<string, Line>();
  readonly #entries = new Map<string, Entry>();
  #executing = 0;

  /** Call with the run as it is now; `leave` with the same values must come before any of them changes. */
  enter(run: Run): void {
    const { status } = run.snapshot;
    if (status === "QUEUED") {
      const entry = { runId: run.id, score: run.queueTimestamp - run.priorityMs, seq: run.seq };
      const { waiting } = this.#line(run);
      waiting.splice(position(waiting, entry), 0, entry);
      this.#entries.set(run.id, entry);
    }
    if (holding.has(status)) this.#line(run).running += 1;
    if (holding.has(status) && status !== "EXECUTING_WITH_WAITPOINTS") this.#executing += 1;
  }

  leave(run: Run): void {
    const { status } = run.snapshot;
    const line = this.#line(run);
    const entry = this.#entries.get(run.id);
    if (entry) {
      line.waiting.splice(position(line.waiting, entry), 1);
      this.#entries.delete(run.id);
    }
    if (holding.has(status)) line.running -= 1;
    if (holding.has(status) && status !== "EXECUTING_WITH_WAITPOINTS") this.#executing -= 1;
    if (line.waiting.length === 0 && line.running === 0) this.#lines.delete(lineKey(run));
  }

  /** The run that should start now: the lowest score among the lines with a free place. */
  next(now: number, concurrency: number, queueOf: (name: string) => Queue | undefined): string | undefined {
    if (this.#executing >= concurrency) return undefined;
    let best: Entry | undefined;
    for (const line of this.#lines.values()) {
      const first = line.waiting[0];
      if (!first || first.score > now || (best && compare(best, first) <= 0)) continue;
      const queue = queueOf(line.queue);
      if (queue?.paused) continue;
      if (line.running >= Math.min(queue?.overrideLimit ?? queue?.limit ?? Infinity, concurrency)) continue;
      best = first;
    }
    return best?.runId;
  }

  /** When the next run that is still held back by its score gets its turn. */
  nextScore(now: number): number | undefined {
    let earliest: number | undefined;
    for (const line of this.#lines.values()) {
      const first = line.waiting[0];
      if (first && first.score > now && first.score < (earliest ?? Infinity)) earliest = first.score;
    }
    return earliest;
  }

  /** Runs that execute now and do not wait for others. */
  get executing(): number {
    return this.#executing;
  }

  counts(queue: string): { queued: number; running: number } {
    let queued = 0;
    let running = 0;
    for (const line of this.#lines.values()) {
      if (line.queue !== queue) continue;
      queued += line.waiting.length;
      running += line.running;
    }
    return { queued, running };
  }

  #line(run: Run): Line {
    const key = lineKey(run);
    let line = this.#lines.get(key);
    if (!line) {
      line = { queue: run.queue, waiting: [], running: 0 };
      this.#lines.set(key, line);
    }
    return line;
  }
}

function lineKey(run: Run): string {
  return run.concurrencyKey === undefined ? run.queue : `${run.queue} ${run.concurrencyKey}`;
}

function compare(a: Entry, b: Entry): number {
  return a.score - b.score || a.seq - b.seq;
}

function position(entries: Entry[], entry: Entry): number {
  let low = 0;
  let high = entries.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const other = entries[middle];
    if (other && compare(other, entry) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

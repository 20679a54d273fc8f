import type { Bound, Run } from "../store/records.ts";
import type { Tables } from "../store/tables.ts";

interface Entry {
  runId: string;
  score: number;
  seq: number;
}

/** Runs that wait for the same slots, in their order. */
interface Line {
  queue: string;
  gates: string[];
  key: string | undefined;
  waiting: Entry[];
}

/** In these states a run holds a slot of each of its limits; a canceled one has released them. */
const holding = new Set(["PENDING_EXECUTING", "EXECUTING", "EXECUTING_WITH_WAITPOINTS"]);

/**
 * How many wait and run, per queue, concurrency limit and concurrency key; derived from the runs' snapshots. A queue's
 * limit counts each concurrency key separately, and so does a limit's perKey; its total counts all
 * (https://trigger.dev/docs/concurrency).
 */
export class QueueIndex {
  readonly #lines = new Map<string, Line>();
  readonly #entries = new Map<string, Entry>();
  readonly #running = new Map<string, number>();
  #executing = 0;

  /** Call with the current run. Call `leave` with the same values before any of them changes. */
  enter(run: Run): void {
    const { status } = run.snapshot;
    if (status === "QUEUED") {
      // The real server orders a requeued run only by its time.
      const aheadMs = run.requeues > 0 ? 0 : run.priorityMs;
      const entry = { runId: run.id, score: run.queueTimestamp - aheadMs, seq: run.seq };
      const { waiting } = this.#line(run);
      waiting.splice(position(waiting, entry), 0, entry);
      this.#entries.set(run.id, entry);
    }
    this.#count(run, 1);
  }

  leave(run: Run): void {
    const entry = this.#entries.get(run.id);
    if (entry) {
      const { waiting } = this.#line(run);
      waiting.splice(position(waiting, entry), 1);
      this.#entries.delete(run.id);
      if (waiting.length === 0) this.#lines.delete(lineId(run));
    }
    this.#count(run, -1);
  }

  /** The run that should start now: the lowest score among the lines with a slot at every limit. */
  next(now: number, concurrency: number, tables: Pick<Tables, "queues" | "limits">): string | undefined {
    if (this.#executing >= concurrency) return undefined;
    let best: Entry | undefined;
    for (const line of this.#lines.values()) {
      const first = line.waiting[0];
      if (!first || first.score > now || (best && compare(best, first) <= 0)) continue;
      if (this.#hasPlace(line, concurrency, tables)) best = first;
    }
    return best?.runId;
  }

  /** When the next run that its score still holds back may start. */
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

  countsOfQueue(queue: string): { queued: number; running: number } {
    return {
      queued: this.#waiting((line) => line.queue === queue),
      running: this.#runningAt(inQueue(queue)),
    };
  }

  countsOfLimit(limit: string): { queued: number; running: number } {
    return {
      queued: this.#waiting(({ gates }) => gates.includes(limit)),
      running: this.#runningAt(atLimit(limit)),
    };
  }

  #hasPlace(
    { queue, gates, key }: Line,
    concurrency: number,
    tables: Pick<Tables, "queues" | "limits">,
  ): boolean {
    const row = tables.queues.get(queue);
    const limit = Math.min(row?.overrideLimit ?? row?.limit ?? Infinity, concurrency);
    if (row?.paused || this.#runningAt(ofKey(inQueue(queue), key)) >= limit) return false;
    return gates.every((gate) => {
      const { perKey, total, paused } = tables.limits.get(gate) ?? {};
      return (
        !paused &&
        this.#runningAt(atLimit(gate)) < enforced(total) &&
        this.#runningAt(ofKey(atLimit(gate), key)) < enforced(perKey)
      );
    });
  }

  #waiting(belongs: (line: Line) => boolean): number {
    return [...this.#lines.values()].filter(belongs).reduce((sum, { waiting }) => sum + waiting.length, 0);
  }

  #runningAt(place: string): number {
    return this.#running.get(place) ?? 0;
  }

  #count(run: Run, by: 1 | -1): void {
    const { status } = run.snapshot;
    if (!holding.has(status)) return;
    if (status !== "EXECUTING_WITH_WAITPOINTS") this.#executing += by;
    for (const place of [inQueue(run.queue), ...run.gates.map(atLimit)])
      for (const id of [place, ofKey(place, run.concurrencyKey)]) {
        const count = (this.#running.get(id) ?? 0) + by;
        if (count === 0) this.#running.delete(id);
        else this.#running.set(id, count);
      }
  }

  #line(run: Run): Line {
    const id = lineId(run);
    let line = this.#lines.get(id);
    if (!line) {
      line = { queue: run.queue, gates: run.gates, key: run.concurrencyKey, waiting: [] };
      this.#lines.set(id, line);
    }
    return line;
  }
}

/** The bound that applies now. */
export function enforced(bound: Bound | undefined): number {
  return bound?.override ?? bound?.base ?? Infinity;
}

function inQueue(queue: string): string {
  return `queue ${queue}`;
}

function atLimit(limit: string): string {
  return `limit ${limit}`;
}

function ofKey(place: string, key: string | undefined): string {
  return JSON.stringify([place, key]);
}

function lineId({ queue, gates, concurrencyKey }: Run): string {
  return JSON.stringify([queue, gates, concurrencyKey]);
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

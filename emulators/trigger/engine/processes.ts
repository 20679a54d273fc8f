/** The CLI ends a process that no run has used for this long (TaskRunProcessPool.IDLE_TIMEOUT_MS of trigger.dev 4.8). */
const IDLE_MS = 30_000;

const LONGEST_PATIENCE_MS = 5_000;

/**
 * Decides when a run may make the CLI start a process: it starts one for each run that it receives while none is idle.
 * Each start takes a second of a core, or many on a busy machine, so the existing processes finish a burst sooner than
 * a new one per run: a run waits for one of them as long as the last start took.
 */
export class Processes {
  #patienceMs: number;
  readonly #starting = new Map<string, number>();
  #idleUntil: number[] = [];
  #lastStart = Number.NEGATIVE_INFINITY;

  /** `patienceMs` is a guess until the first start is over. With 0, runs never wait. */
  constructor(patienceMs: number) {
    this.#patienceMs = patienceMs;
  }

  /** When a run queued since `queuedAt` can be dequeued, while `executing` others keep processes busy. */
  freeAt(now: number, queuedAt: number, executing: number): number {
    this.#idleUntil = this.#idleUntil.filter((end) => end > now);
    if (this.#idleUntil.length > 0) return now;
    const since = executing > 0 ? Math.max(queuedAt, this.#lastStart) : this.#lastStart;
    return Math.max(now, since + this.#patienceMs);
  }

  /** A run has been dequeued. */
  take(runId: string, now: number): void {
    if (this.#idleUntil.shift() !== undefined) return;
    this.#lastStart = now;
    this.#starting.set(runId, now);
  }

  /** The CLI has reported the end of an attempt of `usageMs`, and keeps its process. */
  giveBack(runId: string, now: number, usageMs: number): void {
    this.#idleUntil.push(now + IDLE_MS);
    const started = this.#starting.get(runId);
    this.#starting.delete(runId);
    if (started !== undefined && this.#patienceMs > 0)
      this.#patienceMs = Math.min(Math.max(1, now - started - usageMs), LONGEST_PATIENCE_MS);
  }
}

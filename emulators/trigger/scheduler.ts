import type { Clock } from "./clock.ts";

/** The purpose of a timer. Each kind has one handler, so that timers can be set again from stored state. */
export type TimerKind =
  | "stall"
  | "delay"
  | "ttl"
  | "resume"
  | "waitpoint"
  | "batch-abort"
  | "batch-items"
  | "batch-check"
  | "cron"
  | "sweep"
  | "wake";

/** One timer per kind and id; setting it again moves it. */
export class Scheduler {
  readonly #clock: Clock;
  readonly #handlers = new Map<TimerKind, (id: string) => void>();
  readonly #timers = new Map<string, () => void>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  handle(kind: TimerKind, handler: (id: string) => void): void {
    this.#handlers.set(kind, handler);
  }

  set(kind: TimerKind, id: string, at: number): void {
    const key = `${kind} ${id}`;
    this.#timers.get(key)?.();
    const cancel = this.#clock.after(at - this.#clock.now(), () => {
      this.#timers.delete(key);
      this.#handlers.get(kind)?.(id);
    });
    this.#timers.set(key, cancel);
  }

  clear(kind: TimerKind, id: string): void {
    const key = `${kind} ${id}`;
    this.#timers.get(key)?.();
    this.#timers.delete(key);
  }

  has(kind: TimerKind, id: string): boolean {
    return this.#timers.has(`${kind} ${id}`);
  }

  close(): void {
    for (const cancel of this.#timers.values()) cancel();
    this.#timers.clear();
  }
}

import type { Clock } from "../../clock.ts";

/** A clock that stands still until the test moves it. */
export class FakeClock implements Clock {
  #now = Date.UTC(2026, 0, 15, 12);
  #timers: { at: number; task: () => void }[] = [];

  now(): number {
    return this.#now;
  }

  after(ms: number, task: () => void): () => void {
    const timer = { at: this.#now + ms, task };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  /** How many timers are set. A poll that has reached the server sets one. */
  get timers(): number {
    return this.#timers.length;
  }

  /** Milliseconds until the next timer comes due. */
  get next(): number {
    return Math.min(...this.#timers.map(({ at }) => at)) - this.#now;
  }

  /** Moves the time and runs what becomes due, in order. */
  advance(ms: number): void {
    const end = this.#now + ms;
    for (;;) {
      const next = this.#timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
      if (!next) break;
      this.#timers = this.#timers.filter((timer) => timer !== next);
      this.#now = Math.max(this.#now, next.at);
      next.task();
    }
    this.#now = end;
  }
}

export const seconds = (n: number) => n * 1_000;
export const minutes = (n: number) => n * 60_000;
export const hours = (n: number) => n * 3_600_000;
export const days = (n: number) => n * 86_400_000;

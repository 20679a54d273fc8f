import type { Log } from "@aftercommit/local-shared/log.ts";

/** Someone who waits for the session. */
export type Waiter = {
  readonly name: string;
  /** Receives the session and keeps it until it calls `release`. */
  enter(): void;
};

const slowMs = 5_000;

/** Gives the one session to one waiter at a time, first come, first served. */
export class Turnstile {
  readonly #log: Log;
  #holder: Waiter | null = null;
  readonly #queue = new Set<Waiter>();
  #slow: NodeJS.Timeout | null = null;

  constructor(log: Log) {
    this.#log = log;
  }

  get contended(): boolean {
    return this.#queue.size > 0;
  }

  holds(waiter: Waiter): boolean {
    return this.#holder === waiter;
  }

  request(waiter: Waiter): void {
    if (this.#holder === waiter || this.#queue.has(waiter)) return;
    if (this.#holder === null && this.#queue.size === 0) {
      this.#give(waiter);
      return;
    }
    this.#queue.add(waiter);
    this.#watch();
  }

  /** Returns the session, or stops waiting for it. */
  release(waiter: Waiter): void {
    this.#queue.delete(waiter);
    if (this.#holder !== waiter) return;
    this.#holder = null;
    this.#unwatch();
    // The event loop runs between two turns, so that responses leave and other clients' messages arrive.
    if (this.#queue.size > 0) setImmediate(() => this.#next());
  }

  #next(): void {
    if (this.#holder !== null) return;
    const [first] = this.#queue;
    if (!first) return;
    this.#queue.delete(first);
    this.#give(first);
  }

  #give(waiter: Waiter): void {
    this.#holder = waiter;
    if (this.contended) this.#watch();
    waiter.enter();
  }

  #watch(): void {
    this.#slow ??= setTimeout(() => {
      const waiting = [...this.#queue].map(({ name }) => name).join(" ");
      this.#log(`${this.#holder?.name} keeps others waiting for ${slowMs / 1000} s: ${waiting}`);
    }, slowMs).unref();
  }

  #unwatch(): void {
    if (this.#slow) clearTimeout(this.#slow);
    this.#slow = null;
  }
}

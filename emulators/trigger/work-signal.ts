/** Wakes the long polls that wait for something to happen. */
export class WorkSignal {
  #waiters = new Set<() => void>();
  #scheduled = false;

  /** Many changes in one turn wake the polls once. */
  wake(): void {
    if (this.#scheduled || this.#waiters.size === 0) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      const waiters = this.#waiters;
      this.#waiters = new Set();
      for (const resolve of waiters) resolve();
    });
  }

  /** Resolves at the next wake, or when `signal` aborts. */
  wait(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        this.#waiters.delete(done);
        signal.removeEventListener("abort", done);
        resolve();
      };
      if (signal.aborted) return resolve();
      this.#waiters.add(done);
      signal.addEventListener("abort", done);
    });
  }
}

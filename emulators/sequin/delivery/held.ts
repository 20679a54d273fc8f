import type { Entry } from "./queue.ts";

/** Messages that stay in flight for a time although no request is running. */
export class Held {
  readonly #held = new Map<number, { entry: Entry; timer: NodeJS.Timeout }>();
  readonly #release: (entry: Entry) => void;

  constructor(release: (entry: Entry) => void) {
    this.#release = release;
  }

  hold(entry: Entry, ms: number): void {
    this.#held.set(entry.id, { entry, timer: setTimeout(() => this.release(entry.id), ms) });
  }

  /** Returns whether the message was held. */
  release(id: number): boolean {
    const found = this.#held.get(id);
    if (!found) return false;
    clearTimeout(found.timer);
    this.#held.delete(id);
    this.#release(found.entry);
    return true;
  }

  /** Returns how many there were. */
  releaseAll(): number {
    const ids = [...this.#held.keys()];
    for (const id of ids) this.release(id);
    return ids.length;
  }

  forget(): void {
    for (const { timer } of this.#held.values()) clearTimeout(timer);
    this.#held.clear();
  }
}

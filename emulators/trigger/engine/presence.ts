import type { Clock } from "../clock.ts";

const PRESENCE_TTL_MS = 5_000;

/** Whether a CLI is connected: it holds a presence stream, or held one a moment ago. */
export class Presence {
  readonly #clock: Clock;
  #open = 0;
  #lastSeen = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  connected(): boolean {
    return this.#open > 0 || this.#clock.now() - this.#lastSeen < PRESENCE_TTL_MS;
  }

  /** Returns a function to call when the stream ends. `gone` is called if it was the last. */
  open(gone: () => void): () => void {
    this.#open += 1;
    let ended = false;
    return () => {
      if (ended) return;
      ended = true;
      this.#open -= 1;
      this.#lastSeen = this.#clock.now();
      if (this.#open === 0) gone();
    };
  }
}

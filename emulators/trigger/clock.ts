/** The time as the server sees it, in milliseconds since the epoch; tests pass one that they move by hand. */
export interface Clock {
  now(): number;
  /** Runs `task` once after `ms` milliseconds of this clock; the returned function calls it off. */
  after(ms: number, task: () => void): () => void;
}

// A laptop that sleeps stops Node's timers but not the wall clock, so long waits look at it again every minute.
const LONGEST_TIMER_MS = 60_000;

export const systemClock: Clock = {
  now: Date.now,
  after(ms, task) {
    const due = Date.now() + ms;
    let timer: NodeJS.Timeout;
    const arm = () => {
      const left = due - Date.now();
      timer = setTimeout(left > LONGEST_TIMER_MS ? arm : task, Math.min(Math.max(left, 0), LONGEST_TIMER_MS));
    };
    arm();
    return () => clearTimeout(timer);
  },
};

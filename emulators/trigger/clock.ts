/** The server's time, in milliseconds since the epoch. Tests pass a clock that they control. */
export interface Clock {
  now(): number;
  /** Runs `task` once after `ms` milliseconds of this clock. The returned function cancels it. */
  after(ms: number, task: () => void): () => void;
}

// A sleeping laptop stops Node.js' timers but not the wall clock, so long waits check it every minute.
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

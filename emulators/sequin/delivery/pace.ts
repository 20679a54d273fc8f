import { cpus } from "node:os";

/** Times in milliseconds; the defaults are Sequin's own. Tests shorten them. */
export type Pace = {
  backoffBaseMs: number;
  /** Between two looks for messages whose backoff is over; a new message or an acknowledgement is a look, too. */
  pollMs: number;
  quickRetryMs: number;
  requestTimeoutMs: number;
  /** How long a batch that is not full waits for more messages after its first one. */
  batchTimeoutMs: number;
  /** How long a message is stuck whose failure Sequin cannot write down: until its sweep finds it. */
  stuckMs: number;
};

export const SEQUIN_PACE: Pace = {
  backoffBaseMs: 1000,
  pollMs: 10_000,
  quickRetryMs: 500,
  requestTimeoutMs: 30_000,
  batchTimeoutMs: 5,
  stuckMs: 328_000,
};

/** min(2 × CPUs, 80), or DEFAULT_WORKERS_PER_SINK in Sequin (sink_pipeline.ex). */
export const DEFAULT_WORKERS = Math.min(2 * cpus().length, 80);

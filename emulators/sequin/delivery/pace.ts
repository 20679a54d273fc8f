import { cpus } from "node:os";

/** Times in milliseconds; the defaults are Sequin's own. Tests shorten them. */
export type Pace = {
  backoffBaseMs: number;
  /** Between two checks for messages whose backoff is over. A new message or an acknowledgment is also a check. */
  pollMs: number;
  quickRetryMs: number;
  requestTimeoutMs: number;
  /** How long an incomplete batch waits for more messages after its first one. */
  batchTimeoutMs: number;
  /** How long a message is stuck whose failure Sequin cannot record: until its sweep finds it. */
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

import { ApiError, idempotencyKeys, tasks } from "@trigger.dev/sdk";
import { UnavailableError } from "../errors.ts";
import { withDeadline } from "../with-deadline.ts";

/**
 * A run to trigger. Without its `idempotencyKey`, a trigger whose response was lost would run twice. The key is valid
 * for `idempotencyKeyTTL` (`30d`), or until the run fails.
 */
export type TaskRun = {
  task: string;
  payload: object;
  tags: string[];
  idempotencyKey: string;
  idempotencyKeyTTL?: string;
  /** How long the run may wait to start. Default: 14 days. Trigger.dev's default in development is 10 minutes. */
  ttl?: string;
  /** How many seconds earlier than it arrived the run is queued. Default: 0. */
  priority?: number;
};

// Sequin retries for a long time; the SDK's default would hold Sequin's request for 9 s.
const RETRY = { maxAttempts: 3, minTimeoutInMs: 250, maxTimeoutInMs: 1_000, factor: 2, randomize: true };

/** Trigger.dev rejects TRIGGER_SECRET_KEY: waiting does not help, and someone must know. */
export class TriggerRefusedError extends Error {
  override readonly name = "TriggerRefusedError";
}

async function trigger(run: TaskRun): Promise<string> {
  const { task, payload, tags, idempotencyKey, idempotencyKeyTTL = "30d", ttl = "14d", priority } = run;
  const options = {
    tags,
    ttl,
    priority,
    idempotencyKey: await idempotencyKeys.create(idempotencyKey, { scope: "global" }),
    idempotencyKeyTTL,
  };
  const handle = await tasks.trigger(task, payload, options, { retry: RETRY });
  return handle.id;
}

/**
 * Triggers a run and resolves with its id, also if the idempotency key already has a run. Rejects with
 * TriggerRefusedError if Trigger.dev rejects the key, and with UnavailableError if it does not answer after the SDK's
 * retries, or before `deadline`, in Unix milliseconds.
 */
export async function triggerRun(run: TaskRun, deadline: number): Promise<string> {
  try {
    return await withDeadline(() => trigger(run), deadline);
  } catch (cause) {
    if (cause instanceof ApiError && (cause.status === 401 || cause.status === 403))
      throw new TriggerRefusedError("Trigger.dev refuses TRIGGER_SECRET_KEY", { cause });
    throw new UnavailableError("Trigger.dev did not accept the run", { cause });
  }
}

import { ApiError, idempotencyKeys, tasks } from "@trigger.dev/sdk";
import { UnavailableError } from "../errors.ts";
import { withDeadline } from "../with-deadline.ts";

/**
 * A run to trigger. Without its `idempotencyKey` a trigger whose answer was lost would run twice; it is in force for
 * `idempotencyKeyTTL` (`30d`), or until the run fails.
 */
export type TaskRun = {
  task: string;
  payload: object;
  tags: string[];
  idempotencyKey: string;
  idempotencyKeyTTL?: string;
  /** How long the run may wait to be started; 14 days when left out. Trigger.dev's default in development is 10 minutes. */
  ttl?: string;
  /** How many seconds earlier than others the run is taken to have come; 0 when left out. */
  priority?: number;
};

// Sequin is the one that tries for long; the SDK would hold its request for 9 s.
const RETRY = { maxAttempts: 3, minTimeoutInMs: 250, maxTimeoutInMs: 1_000, factor: 2, randomize: true };

/** Trigger.dev refuses TRIGGER_SECRET_KEY: waiting does not help, and somebody has to know. */
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
 * Triggers a run and resolves to its id, also when the idempotency key already has one.
 * Rejects with TriggerRefusedError when Trigger.dev refuses the key, and with UnavailableError when it does not answer
 * after the SDK's retries, or not before `deadline`, in Unix milliseconds.
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

import { idempotencyKeys, tasks } from "@trigger.dev/sdk";
import { beforeDeadline } from "../before-deadline.ts";
import { UnavailableError } from "../errors.ts";

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
  /** Seconds by which the run goes ahead of others in its queue. */
  priority?: number;
};

// A run expires when nothing took it within its ttl; Trigger.dev's default in development is 10 minutes.
const TTL = "14d";
// Sequin is the one that tries for long; the SDK would hold its request for 9 s.
const RETRY = { maxAttempts: 3, minTimeoutInMs: 250, maxTimeoutInMs: 1_000, factor: 2, randomize: true };

async function trigger(run: TaskRun): Promise<string> {
  const { task, payload, tags, idempotencyKey, idempotencyKeyTTL, priority } = run;
  const options = {
    tags,
    ttl: TTL,
    priority,
    idempotencyKey: await idempotencyKeys.create(idempotencyKey, { scope: "global" }),
    idempotencyKeyTTL: idempotencyKeyTTL ?? "30d",
  };
  const handle = await tasks.trigger(task, payload, options, { retry: RETRY });
  return handle.id;
}

/**
 * Triggers a run and resolves to its id, also when the idempotency key already has one.
 * Rejects with UnavailableError when Trigger.dev refuses, does not answer after the SDK's retries, or not before
 * `deadline`, in Unix milliseconds.
 */
export async function triggerRun(run: TaskRun, deadline: number): Promise<string> {
  try {
    return await beforeDeadline(() => trigger(run), deadline);
  } catch (cause) {
    throw new UnavailableError("Trigger.dev did not accept the run; deliver again", { cause });
  }
}

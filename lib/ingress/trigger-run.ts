import {
  type AnyTask,
  idempotencyKeys,
  type TaskIdentifier,
  type TaskPayload,
  tasks,
} from "@trigger.dev/sdk";

/** A run to trigger. `idempotencyKey` is in force for `idempotencyKeyTTL` (`30d`), or until the run fails. */
export type TaskRun<T extends AnyTask> = {
  task: TaskIdentifier<T>;
  payload: TaskPayload<T>;
  tags: string[];
  idempotencyKey?: string;
  idempotencyKeyTTL?: string;
};

// A run expires when nothing took it within its ttl; Trigger.dev's default in development is 10 minutes.
const TTL = "14d";
// Sequin calls again after 30 s without an answer, while this call would still be under way.
const DEADLINE_MS = 20_000;

async function trigger<T extends AnyTask>(run: TaskRun<T>): Promise<string> {
  const { task, payload, tags, idempotencyKey, idempotencyKeyTTL } = run;
  const key = idempotencyKey && (await idempotencyKeys.create(idempotencyKey, { scope: "global" }));
  const handle = await tasks.trigger<T>(task, payload, {
    tags,
    ttl: TTL,
    ...(key ? { idempotencyKey: key, idempotencyKeyTTL: idempotencyKeyTTL ?? "30d" } : {}),
  });
  return handle.id;
}

/**
 * Triggers a run and resolves to its id, also when the idempotency key already has one.
 * Rejects when Trigger.dev refuses, does not answer after the SDK's retries, or takes longer than 20 s.
 */
export async function triggerRun<T extends AnyTask>(run: TaskRun<T>): Promise<string> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer in ${DEADLINE_MS} ms`)), DEADLINE_MS);
  });
  try {
    return await Promise.race([trigger(run), deadline]);
  } finally {
    clearTimeout(timer);
  }
}

import { idempotencyKeys, tasks } from "@trigger.dev/sdk";
import { failureOfRun } from "./failure-of-run.ts";

/**
 * A run that another one waits for. The idempotency key holds within one run of the parent: another attempt of it finds
 * the children of the first.
 */
export type ChildRun = { task: string; payload: object; tags: string[]; idempotencyKey: string[] };

const optionsOf = ({ tags, idempotencyKey }: ChildRun) => ({ tags, ttl: "14d", idempotencyKey });

/** Why a child that is waited for failed; undefined when it did not. */
async function failureOf(child: ChildRun): Promise<string | undefined> {
  const run = await tasks.triggerAndWait(child.task, child.payload, optionsOf(child));
  if (run.ok) return undefined;
  const failure = await failureOfRun(run.id);
  if (failure !== undefined) return failure;
  // A cancelled run keeps its key: the next attempt would be given the same run.
  await idempotencyKeys.reset(run.taskIdentifier, child.idempotencyKey);
  throw new Error(`${run.id} ended without a result`);
}

/**
 * Runs children side by side and, when all have ended, says why each failed: undefined for one that did not. Rejects
 * when one was cancelled, crashed or expired; the next attempt of the parent starts it again.
 */
export async function failuresOfChildren(children: readonly ChildRun[]): Promise<(string | undefined)[]> {
  const [, ...others] = children;
  // Not a batch: if the answer to its creation is lost, the SDK creates another, and the parent waits for both.
  const started = await Promise.all(
    others.map((child) => tasks.trigger(child.task, child.payload, optionsOf(child))),
  );
  const failures: (string | undefined)[] = [];
  for (const [index, child] of children.entries()) {
    // One that failed while another was waited for has released its key: a wait would start it again.
    const handle = started[index - 1];
    failures.push((handle && (await failureOfRun(handle.id))) ?? (await failureOf(child)));
  }
  return failures;
}

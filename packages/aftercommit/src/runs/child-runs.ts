import { idempotencyKeys, tasks } from "@trigger.dev/sdk";
import { failureOfRun } from "./failure-of-run.ts";

/**
 * A run that another one waits for. The idempotency key belongs to one run of the parent: another attempt of that run
 * finds the children of the first.
 */
export type ChildRun = { task: string; payload: object; tags: string[]; idempotencyKey: string[] };

const optionsOf = ({ tags, idempotencyKey }: ChildRun) => ({ tags, ttl: "14d", idempotencyKey });

/** Why a child failed; undefined if it did not. */
async function failureOf(child: ChildRun): Promise<string | undefined> {
  const run = await tasks.triggerAndWait(child.task, child.payload, optionsOf(child));
  if (run.ok) return undefined;
  const failure = await failureOfRun(run.id);
  if (failure !== undefined) return failure;
  // A canceled run keeps its key: the next attempt would get the same run.
  await idempotencyKeys.reset(run.taskIdentifier, child.idempotencyKey);
  throw new Error(`${run.id} ended without a result`);
}

/**
 * Runs children in parallel and, when all have ended, resolves with why each failed, or undefined. Rejects if one was
 * canceled, crashed or expired; the next attempt of the parent starts it again.
 */
export async function failuresOfChildren(children: readonly ChildRun[]): Promise<(string | undefined)[]> {
  const [, ...others] = children;
  // Not a batch: if the response to its creation is lost, the SDK creates another, and the parent waits for both.
  const started = await Promise.all(
    others.map((child) => tasks.trigger(child.task, child.payload, optionsOf(child))),
  );
  const failures: (string | undefined)[] = [];
  for (const [index, child] of children.entries()) {
    // A child that failed while another was waited for has released its key: waiting would start it again.
    const handle = started[index - 1];
    failures.push((handle && (await failureOfRun(handle.id))) ?? (await failureOf(child)));
  }
  return failures;
}

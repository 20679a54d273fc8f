import { idempotencyKeys, schemaTask } from "@trigger.dev/sdk";
import { deletionConcurrency } from "../lib/deletions/concurrency.ts";
import { environmentOf } from "../lib/deletions/environment-of.ts";
import { isHopeless, LostStepError, NotConfirmedError } from "../lib/deletions/errors.ts";
import { type DeletionSteps, deletionSchema, finishDeletion } from "../lib/deletions/finish-deletion.ts";
import { STEP_RETRY } from "../lib/deletions/step-retry.ts";
import { failureOfRun } from "../lib/runs/failure-of-run.ts";
import { cleanUpExternalSystem } from "./clean-up-external-system.ts";
import { sendDeletionConfirmation } from "./send-deletion-confirmation.ts";

// The idempotency keys hold within one run of the parent: another attempt of it finds the children of the first.
function stepsOf(userId: string): DeletionSteps {
  const optionsOf = (step: string) => ({
    tags: [`user:${userId}`],
    ttl: "14d",
    idempotencyKey: [userId, step],
  });

  async function failureToClean(system: string): Promise<string | undefined> {
    const options = optionsOf(system);
    const run = await cleanUpExternalSystem.triggerAndWait({ userId, system }, options);
    return run.ok ? undefined : problemOf(run, options.idempotencyKey);
  }

  return {
    // Not a batch: if the answer to its creation is lost, the SDK creates another, and the parent waits for both.
    async cleanUp(systems) {
      const started = await Promise.all(
        systems.map((system) => cleanUpExternalSystem.trigger({ userId, system }, optionsOf(system))),
      );
      const failures: { system: string; error: string }[] = [];
      for (const [index, system] of systems.entries()) {
        // One that failed while another was waited for has released its key: a wait would begin it anew.
        const handle = index > 0 ? started[index] : undefined;
        const error = (handle && (await failureOfRun(handle.id))) ?? (await failureToClean(system));
        if (error !== undefined) failures.push({ system, error });
      }
      return failures;
    },
    async confirm() {
      const options = optionsOf("confirmation");
      const run = await sendDeletionConfirmation.triggerAndWait({ userId }, options);
      if (!run.ok) throw new NotConfirmedError(await problemOf(run, options.idempotencyKey));
      return run.output.confirmation;
    },
  };
}

/** Why a step failed for good. Rejects with LostStepError when its run never came so far. */
async function problemOf(run: { id: string; taskIdentifier: string }, key: string[]): Promise<string> {
  const failure = await failureOfRun(run.id);
  if (failure !== undefined) return failure;
  // A cancelled run keeps its key: the next attempt would be given the same run.
  await idempotencyKeys.reset(run.taskIdentifier, key);
  throw new LostStepError(run.id);
}

/** Cleans up after a deleted user everywhere, each system by a run of its own, and then tells them. */
export const userDeletionCleanup = schemaTask({
  id: "user-deletion-cleanup",
  schema: deletionSchema,
  concurrency: { total: deletionConcurrency() },
  retry: STEP_RETRY,
  run: ({ userId }, { ctx }) =>
    finishDeletion({ userId, runId: ctx.run.id, environment: environmentOf(ctx) }, stepsOf(userId)),
  catchError: async ({ error }) => (isHopeless(error) ? { skipRetrying: true } : undefined),
});

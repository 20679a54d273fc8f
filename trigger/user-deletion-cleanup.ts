import { schemaTask } from "@trigger.dev/sdk";
import { isHopeless, NotConfirmedError } from "../lib/deletions/errors.ts";
import { type DeletionSteps, deletionSchema, finishDeletion } from "../lib/deletions/finish-deletion.ts";
import { STEP_RETRY } from "../lib/deletions/step-retry.ts";
import { messageOf } from "../lib/errors.ts";
import { cleanUpExternalSystem } from "./clean-up-external-system.ts";
import { sendDeletionConfirmation } from "./send-deletion-confirmation.ts";

// The idempotency keys hold within one run of the parent: another attempt of it finds the children of the first.
function stepsOf(userId: string): DeletionSteps {
  const options = { tags: [`user:${userId}`], ttl: "14d" };
  return {
    async cleanUp(systems) {
      const { runs } = await cleanUpExternalSystem.batchTriggerAndWait(
        systems.map((system) => ({
          payload: { userId, system },
          options: { ...options, idempotencyKey: [userId, system] },
        })),
      );
      return systems.flatMap((system, index) => {
        const run = runs[index];
        return run?.ok ? [] : [{ system, error: messageOf(run?.error) }];
      });
    },
    async confirm() {
      const run = await sendDeletionConfirmation.triggerAndWait(
        { userId },
        { ...options, idempotencyKey: [userId, "confirmation"] },
      );
      if (!run.ok) throw new NotConfirmedError(messageOf(run.error));
      return run.output.confirmation;
    },
  };
}

/** Cleans up after a deleted user everywhere, each system by a run of its own, and then tells them. */
export const userDeletionCleanup = schemaTask({
  id: "user-deletion-cleanup",
  schema: deletionSchema,
  // One at a time in each lane, which is the concurrency key.
  queue: { concurrencyLimit: 1 },
  retry: STEP_RETRY,
  run: ({ userId }, { ctx }) => finishDeletion({ userId, runId: ctx.run.id }, stepsOf(userId)),
  catchError: async ({ error }) => (isHopeless(error) ? { skipRetrying: true } : undefined),
});

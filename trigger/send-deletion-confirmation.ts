import { schemaTask } from "@trigger.dev/sdk";
import { environmentOf } from "../lib/deletions/environment-of.ts";
import { ConfirmationClaimedError, isHopeless } from "../lib/deletions/errors.ts";
import { deletionSchema } from "../lib/deletions/finish-deletion.ts";
import { sendConfirmation } from "../lib/deletions/send-confirmation.ts";
import { STEP_RETRY } from "../lib/deletions/step-retry.ts";

/** Tells a deleted user that everything is clean: 5 attempts of a minute each, and half a minute to record it. */
export const sendDeletionConfirmation = schemaTask({
  id: "send-deletion-confirmation",
  schema: deletionSchema,
  retry: STEP_RETRY,
  // In seconds for all attempts together, so only a backstop: the verb ends each attempt after a minute.
  maxDuration: 500,
  run: ({ userId }, { ctx, signal }) =>
    sendConfirmation({ userId, runId: ctx.run.id, environment: environmentOf(ctx), signal }),
  catchError: async ({ error }) => {
    if (isHopeless(error)) return { skipRetrying: true };
    return error instanceof ConfirmationClaimedError && error.until ? { retryAt: error.until } : undefined;
  },
});

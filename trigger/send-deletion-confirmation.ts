import { schemaTask } from "@trigger.dev/sdk";
import { isHopeless } from "../lib/deletions/errors.ts";
import { deletionSchema } from "../lib/deletions/finish-deletion.ts";
import { sendConfirmation } from "../lib/deletions/send-confirmation.ts";
import { STEP_RETRY } from "../lib/deletions/step-retry.ts";

/** Tells a deleted user that everything is clean: 5 attempts of a minute each. */
export const sendDeletionConfirmation = schemaTask({
  id: "send-deletion-confirmation",
  schema: deletionSchema,
  retry: STEP_RETRY,
  // In seconds for all attempts together, so only a backstop: the verb ends each attempt after a minute.
  maxDuration: 400,
  run: ({ userId }, { signal }) => sendConfirmation({ userId, signal }),
  catchError: async ({ error }) => (isHopeless(error) ? { skipRetrying: true } : undefined),
});

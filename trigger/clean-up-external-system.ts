import { schemaTask } from "@trigger.dev/sdk";
import { cleanUpSchema, cleanUpSystem } from "../lib/deletions/clean-up-system.ts";
import { environmentOf } from "../lib/deletions/environment-of.ts";
import { isHopeless } from "../lib/deletions/errors.ts";
import { STEP_RETRY } from "../lib/deletions/step-retry.ts";

/** Cleans one external system of one deleted user: 5 attempts of a minute each. */
export const cleanUpExternalSystem = schemaTask({
  id: "clean-up-external-system",
  schema: cleanUpSchema,
  retry: STEP_RETRY,
  // In seconds for all attempts together, so only a backstop: the verb ends each attempt after a minute.
  maxDuration: 400,
  run: (payload, { ctx, signal }) => cleanUpSystem({ ...payload, environment: environmentOf(ctx), signal }),
  catchError: async ({ error }) => (isHopeless(error) ? { skipRetrying: true } : undefined),
});

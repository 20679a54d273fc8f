import { schedules, schemaTask } from "@trigger.dev/sdk";
import * as z from "zod";
import { database } from "../db/database.ts";
import type { DeletionDeclaration } from "../declare/declaration.ts";
import { declarationsOf, deletionsOf } from "../declare/declarations.ts";
import { deletionTaskIds } from "../declare/names.ts";
import { optional } from "../env/env.ts";
import { liveRuns } from "../runs/live-runs.ts";
import { statusOfRun } from "../runs/status-of-run.ts";
import { triggerRun } from "../runs/trigger-run.ts";
import { cleanUpSchema, cleanUpSystem } from "./clean-up-system.ts";
import { afterError } from "./errors.ts";
import { finishDeletion } from "./finish-deletion.ts";
import { resumeDeletions } from "./resume-deletions.ts";
import { sendConfirmation } from "./send-confirmation.ts";
import { sendMail } from "./send-mail.ts";
import { deletionIdSchema } from "./step.ts";
import { STEP_TASKS, stepRunsOf } from "./step-runs.ts";

/** Five attempts, 1, 2, 4 and 8 seconds apart, like an activity in Temporal's guide. */
const RETRY = {
  maxAttempts: 5,
  factor: 2,
  minTimeoutInMs: 1_000,
  maxTimeoutInMs: 60_000,
  randomize: false,
  // A killed process counts as out of memory, and gets another attempt only with a machine set here.
  outOfMemory: { machine: "small-2x" as const },
};

const deletionSchema = z.object({ deletionId: deletionIdSchema });

type Context = { project: { ref: string }; environment: { id: string } };

/** Names the Trigger.dev environment of a run as the ledger does: `proj_x/env_id`. */
export const environmentOf = ({ project, environment }: Context) => `${project.ref}/${environment.id}`;

/**
 * How many deletions run at the same time. It is fixed when the tasks are registered, by `trigger.dev dev` or `deploy`.
 * Each calls every external system, and these have their own limits. In development, a run that waits for its steps
 * keeps its process and its place among the environment's concurrent runs, which the steps need, too.
 * @throws {EnvironmentError} if USER_DELETION_CONCURRENCY is malformed
 */
export const deletionConcurrency = () => Number(optional("USER_DELETION_CONCURRENCY") ?? 5);

/**
 * The task that cleans up after a deleted row, each system in its own run, and then confirms it.
 *
 * @example
 * export const userDeletionCleanup = cleanupTask(users);
 */
export const cleanupTask = (declaration: DeletionDeclaration) =>
  schemaTask({
    id: deletionTaskIds(declaration).cleanup,
    // The row's id is only for people who look at the run.
    schema: deletionSchema,
    concurrency: { total: deletionConcurrency() },
    retry: RETRY,
    run: ({ deletionId }, { ctx }) =>
      finishDeletion(
        { source: declaration.row, deletionId, runId: ctx.run.id, environment: environmentOf(ctx) },
        { db: database(), declaration, stepsOf: stepRunsOf, statusOf: statusOfRun },
      ),
    catchError: afterError,
  });

/**
 * The scheduled task that triggers a run for each open deletion of its environment that has no run to finish it.
 *
 * @example
 * export const resumeUserDeletions = resumeTask(users);
 */
export const resumeTask = (declaration: DeletionDeclaration) =>
  schedules.task({
    id: deletionTaskIds(declaration).resume,
    // Not in development: a laptop connected to a database would process other people's deletions.
    cron: { pattern: "*/10 * * * *", environments: ["PRODUCTION", "STAGING", "PREVIEW"] },
    concurrency: { total: 1 },
    run: (_, { ctx }) =>
      resumeDeletions(
        declaration,
        { id: ctx.run.id, environment: environmentOf(ctx) },
        { db: database(), runs: { live: liveRuns, statusOf: statusOfRun, start: triggerRun } },
      ),
  });

/**
 * The task that cleans one external system of one deleted row: 5 attempts, with one minute per call.
 *
 * @example
 * export const cleanUpExternalSystem = cleanUpSystemTask(config);
 */
export function cleanUpSystemTask(config: object) {
  const declarations = deletionsOf(declarationsOf(config));
  return schemaTask({
    id: STEP_TASKS.cleanUp,
    schema: cleanUpSchema,
    retry: RETRY,
    // In seconds, for all attempts together. Only a backstop: each of an attempt's two calls ends after a minute.
    maxDuration: 700,
    run: (payload, { ctx, signal }) =>
      cleanUpSystem(
        { ...payload, environment: environmentOf(ctx), signal },
        { db: database(), declarations },
      ),
    catchError: afterError,
  });
}

/**
 * The task that confirms a deletion by e-mail: 5 attempts of one minute, and half a minute to record each.
 *
 * @example
 * export const sendDeletionConfirmation = confirmationTask(config);
 */
export function confirmationTask(config: object) {
  const declarations = deletionsOf(declarationsOf(config));
  return schemaTask({
    id: STEP_TASKS.confirm,
    schema: deletionSchema,
    retry: RETRY,
    // In seconds, for all attempts together. Only a backstop: each attempt ends after a minute.
    maxDuration: 500,
    run: ({ deletionId }, { ctx, signal }) =>
      sendConfirmation(
        { deletionId, runId: ctx.run.id, environment: environmentOf(ctx), signal },
        { db: database(), declarations, send: sendMail },
      ),
    catchError: afterError,
  });
}

import { optional } from "../env.ts";

/**
 * How many deletions are worked on at once. Fixed when the tasks are registered, by `trigger.dev dev` or `deploy`. Each
 * calls every external system, which have limits of their own; and in development a run that waits for its steps keeps
 * its process and its place among the environment's concurrent runs, which the steps need as well.
 * @throws {EnvironmentError} when USER_DELETION_CONCURRENCY is malformed
 */
export const deletionConcurrency = () => Number(optional("USER_DELETION_CONCURRENCY") ?? 5);

import { EnvironmentError } from "../env.ts";

/** A run about a user whose deletion is not in the ledger: nothing may be cleaned up for it. */
export class UnknownDeletionError extends Error {
  override readonly name = "UnknownDeletionError";

  constructor(userId: string) {
    super(`No deletion of user ${userId} is recorded`);
  }
}

/** A run about an external system that is not configured (any more). */
export class UnknownSystemError extends Error {
  override readonly name = "UnknownSystemError";

  constructor(system: string) {
    super(`There is no external system ${system}`);
  }
}

/** External systems that are not clean after all their attempts; the message names each and why. */
export class NotCleanError extends Error {
  override readonly name = "NotCleanError";
  readonly systems: readonly string[];

  constructor(failures: readonly { system: string; error: string }[]) {
    super(`Not clean: ${failures.map(({ system, error }) => `${system} (${error})`).join(", ")}`);
    this.systems = failures.map(({ system }) => system);
  }
}

/** The confirmation could not be sent after all its attempts. */
export class NotConfirmedError extends Error {
  override readonly name = "NotConfirmedError";

  constructor(problem: string) {
    super(`Clean, but the confirmation was not sent: ${problem}`);
  }
}

/** The run of a step was cancelled, crashed or expired: the step itself has not failed, and may be begun anew. */
export class LostStepError extends Error {
  override readonly name = "LostStepError";

  constructor(runId: string) {
    super(`${runId} ended without a result`);
  }
}

/** The mail server refused the message for good (an SMTP reply 5xx). */
export class MailRefusedError extends Error {
  override readonly name = "MailRefusedError";
}

const HOPELESS = [
  EnvironmentError,
  UnknownDeletionError,
  UnknownSystemError,
  NotCleanError,
  NotConfirmedError,
  MailRefusedError,
];

/** Whether another attempt of the same run would fail alike. The deletion is resumed later all the same. */
export const isHopeless = (error: unknown) => HOPELESS.some((type) => error instanceof type);

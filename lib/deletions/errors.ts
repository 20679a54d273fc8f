import { EnvironmentError } from "../env.ts";

/** A run about a user whose deletion is not in the ledger: nothing may be cleaned up for it. */
export class UnknownDeletionError extends Error {
  override readonly name = "UnknownDeletionError";

  constructor(userId: string) {
    super(`No deletion of user ${userId} is recorded`);
  }
}

/** A run in another environment of Trigger.dev than the one that began the deletion: it touches nothing. */
export class ForeignDeletionError extends Error {
  override readonly name = "ForeignDeletionError";

  constructor(userId: string, begunBy: string) {
    super(`The deletion of user ${userId} was begun by ${begunBy}: only a run there may work on it`);
  }
}

/**
 * Why a step failed, in words that may be shown: they go to the ledger, the log, the page and Trigger.dev. So they are
 * a status or a code, never a URL, an address or what the other side wrote.
 */
export class StepError extends Error {
  override readonly name: string = "StepError";
}

/** A system that has to be told and is not configured where the task runs. */
export class UnknownSystemError extends StepError {
  override readonly name = "UnknownSystemError";

  constructor() {
    super("not configured where the task runs");
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

/** Another run is sending the confirmation, or was and nobody knows how it ended: `until` when it has to be left alone. */
export class ConfirmationClaimedError extends Error {
  override readonly name = "ConfirmationClaimedError";
  readonly until: Date | undefined;

  constructor(until: Date | undefined) {
    super("Another run is sending the confirmation");
    this.until = until;
  }
}

/** The ledger does not agree that a deletion is complete: another run took it, or a system is not clean after all. */
export class NotCompletedError extends Error {
  override readonly name = "NotCompletedError";

  constructor(userId: string) {
    super(`The ledger does not agree that the deletion of user ${userId} is complete`);
  }
}

/** The run of a step was cancelled, crashed or expired: the step itself has not failed, and may be begun anew. */
export class LostStepError extends Error {
  override readonly name = "LostStepError";

  constructor(runId: string) {
    super(`${runId} ended without a result`);
  }
}

/** The mail server surely has not accepted the message. */
export class MailNotSentError extends StepError {
  override readonly name: string = "MailNotSentError";
}

/** The mail server refused for good (an SMTP reply 5xx), whoever the message is to. */
export class MailRefusedError extends MailNotSentError {
  override readonly name: string = "MailRefusedError";
}

/** The mail server refused the recipient or the message for good. */
export class AddressRefusedError extends MailRefusedError {
  override readonly name = "AddressRefusedError";
}

const HOPELESS = [
  EnvironmentError,
  UnknownDeletionError,
  ForeignDeletionError,
  UnknownSystemError,
  NotCleanError,
  NotConfirmedError,
  MailRefusedError,
];

/** Whether another attempt of the same run would fail alike. The deletion is resumed later all the same. */
export const isHopeless = (error: unknown) => HOPELESS.some((type) => error instanceof type);

/** The code of the innermost cause of a thrown value, or else its name: never its words. */
export function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return "unknown";
  if (error.cause instanceof Error) return codeOf(error.cause);
  return "code" in error && typeof error.code === "string" ? error.code : error.name;
}

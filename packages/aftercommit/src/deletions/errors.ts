import { EnvironmentError } from "../env/env.ts";
import { SourceError } from "../source.ts";

type Options = {
  /** Whether another attempt of the same run may succeed. A deletion is resumed later either way. */
  retryable?: boolean;
  /** When to try again. Default: after the task's own delay. */
  retryAt?: Date;
};

/**
 * Why a deletion or one of its steps failed. The message may be shown: it goes to the ledger, the log, the page and
 * Trigger.dev. So it is a status or a code, never a URL, an address or a response body.
 *
 * @example
 * if (!response.ok) throw new StepError(`answered ${response.status}`, { retryable: response.status >= 500 });
 */
export class StepError extends Error {
  override readonly name: string = "StepError";
  readonly retryable: boolean;
  readonly retryAt: Date | undefined;

  constructor(message: string, { retryable = true, retryAt }: Options = {}) {
    super(message);
    this.retryable = retryable;
    this.retryAt = retryAt;
  }
}

/** A system reported that it was clean, but still has the row. */
export class StillFoundError extends StepError {
  override readonly name = "StillFoundError";
}

/** The mail server did not accept a message. */
export class MailError extends StepError {
  override readonly name = "MailError";
  /** Whether the server certainly has not accepted the message. */
  readonly notSent: boolean;
  /** Whether it never will, because of the recipient or the message. */
  readonly bounced: boolean;

  constructor(message: string, options: Options & { notSent: boolean; bounced?: boolean }) {
    const { notSent, bounced = false, ...others } = options;
    super(message, others);
    this.notSent = notSent;
    this.bounced = bounced;
  }
}

/** What Trigger.dev does after a failed attempt of a deletion's task. */
export function afterError({
  error,
}: {
  error: unknown;
}): { skipRetrying: true } | { retryAt: Date } | undefined {
  if (error instanceof EnvironmentError || error instanceof SourceError) return { skipRetrying: true };
  if (!(error instanceof StepError)) return undefined;
  if (!error.retryable) return { skipRetrying: true };
  return error.retryAt && { retryAt: error.retryAt };
}

/** The code of the innermost cause of a thrown value, or its name if it has no code: never its message. */
export function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return "unknown";
  if (error.cause instanceof Error) return codeOf(error.cause);
  return "code" in error && typeof error.code === "string" ? error.code : error.name;
}

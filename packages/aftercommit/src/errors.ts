/** A message cannot be worked on, ever: `at` is the place in it, in the form `record.id`. */
export class InvalidMessageError extends Error {
  override readonly name = "InvalidMessageError";
  readonly at: string;
  readonly problem: string;

  constructor(at: string, problem: string) {
    super(`${at || "body"}: ${problem}`);
    this.at = at;
    this.problem = problem;
  }

  /** The same problem, seen from outside: `record.id` in `data[3]` is `data[3].record.id`. */
  within(outer: string): InvalidMessageError {
    return new InvalidMessageError([outer, this.at].filter(Boolean).join("."), this.problem);
  }
}

/** Something that a message needs does not answer now: the same message may be delivered again. */
export class UnavailableError extends Error {
  override readonly name = "UnavailableError";
}

/** A request is refused as a whole, with the HTTP status that says why. */
export class RefusedRequestError extends Error {
  override readonly name = "RefusedRequestError";
  readonly status: 400 | 401 | 408 | 413 | 500;

  constructor(status: RefusedRequestError["status"], message: string, options?: ErrorOptions) {
    super(message, options);
    this.status = status;
  }
}

/** What a thrown value says of itself, for a log line. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The innermost cause of a thrown value. */
export function rootOf(error: unknown): unknown {
  return error instanceof Error && error.cause !== undefined ? rootOf(error.cause) : error;
}

/**
 * What the innermost cause of a thrown value says. The outer ones may carry what must not be logged: drizzle's, the
 * values of the query.
 */
export function rootMessageOf(error: unknown): string {
  if (error instanceof Error && error.cause !== undefined) return rootMessageOf(error.cause);
  // Node leaves the message of a refused connection empty when it tried several addresses.
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return messageOf(error) || String(code);
}

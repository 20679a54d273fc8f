/** A message that can never be processed. `at` is the place in it, such as `record.id`. */
export class InvalidMessageError extends Error {
  override readonly name = "InvalidMessageError";
  readonly at: string;
  readonly problem: string;

  constructor(at: string, problem: string) {
    super(`${at || "body"}: ${problem}`);
    this.at = at;
    this.problem = problem;
  }

  /** The same problem from outside: `record.id` in `data[3]` is `data[3].record.id`. */
  within(outer: string): InvalidMessageError {
    return new InvalidMessageError([outer, this.at].filter(Boolean).join("."), this.problem);
  }
}

/** Something that a message needs does not answer now: the message may be delivered again. */
export class UnavailableError extends Error {
  override readonly name = "UnavailableError";
}

/** A request failed as a whole, with the HTTP status that says why. */
export class RefusedRequestError extends Error {
  override readonly name = "RefusedRequestError";
  readonly status: 400 | 401 | 404 | 408 | 413 | 500;

  constructor(status: RefusedRequestError["status"], message: string, options?: ErrorOptions) {
    super(message, options);
    this.status = status;
  }
}

/** The message of a thrown value, for a log line. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The innermost cause of a thrown value. */
export function rootOf(error: unknown): unknown {
  return error instanceof Error && error.cause !== undefined ? rootOf(error.cause) : error;
}

/** The code of the innermost cause of a thrown value, such as `ECONNREFUSED`, or Postgres' `42501`. */
export function rootCodeOf(error: unknown): string | undefined {
  const root = rootOf(error);
  return root instanceof Error && "code" in root ? String(root.code) : undefined;
}

// Postgres' error classes for an invalid value or size, and for what a function raises.
const OF_ONE_ROW = /^(22|54|P0)/;

/** Whether a statement failed because of the values of one row. */
export const isOfOneRow = (error: unknown): boolean => OF_ONE_ROW.test(rootCodeOf(error) ?? "");

/**
 * The message of the innermost cause of a thrown value. Outer messages may contain what must not be logged, such as the
 * values of the query in drizzle's.
 */
export function rootMessageOf(error: unknown): string {
  if (error instanceof Error && error.cause !== undefined) return rootMessageOf(error.cause);
  // Node.js leaves the message of a refused connection empty if it tried several addresses.
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return messageOf(error) || String(code);
}

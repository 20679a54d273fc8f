/** The provider's limits are used up until `retryAt`, in Unix milliseconds. */
export class RateLimitedError extends Error {
  override readonly name = "RateLimitedError";
  readonly retryAt: number;

  constructor(model: string, waitMs: number) {
    super(`the limits of ${model} leave no room for ${Math.ceil(waitMs / 1000)} s`);
    this.retryAt = Date.now() + waitMs;
  }
}

/** The provider failed for every text and gets no request until `retryAt`, in Unix milliseconds. */
export class PausedError extends Error {
  override readonly name = "PausedError";
  readonly retryAt: number;

  constructor({
    name,
    pausedUntil,
    pauseReason,
  }: { name: string; pausedUntil: number; pauseReason: string | null }) {
    super(`${name} is paused: ${pauseReason}`);
    this.retryAt = pausedUntil;
  }
}

/** Searches have used up their part of the limits until `retryAt`, in Unix milliseconds. */
export class SearchRateError extends RateLimitedError {
  constructor(model: string, waitMs: number) {
    super(model, waitMs);
    this.message = "There are too many searches by meaning now; try again in a moment";
  }
}

/** The tokens of EMBEDDING_TOKENS_PER_DAY are used up until `retryAt`, in Unix milliseconds. */
export class SpendCapError extends RateLimitedError {
  constructor(model: string, waitMs: number) {
    super(model, waitMs);
    this.message =
      "EMBEDDING_TOKENS_PER_DAY is used up, or the half of it that searches may use; it is a new day at midnight UTC";
  }
}

/** The provider makes no vectors of a row's text. The row stays in the inbox and is retried with growing delays. */
export class FailedTextError extends Error {
  override readonly name = "FailedTextError";
}

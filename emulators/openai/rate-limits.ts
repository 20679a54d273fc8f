import { ApiError } from "./api-error.ts";

/** The limits per minute. Without a number there is no limit. */
export type RateLimits = { tokensPerMinute?: number | undefined; requestsPerMinute?: number | undefined };

type Kind = "requests" | "tokens";

/** A bucket that holds a minute's allowance, starts full, and refills continuously. In milliseconds. */
class Bucket {
  readonly kind: Kind;
  readonly perMinute: number;
  readonly #now: () => number;
  #left: number;
  #at: number;

  constructor(kind: Kind, perMinute: number, now: () => number) {
    this.kind = kind;
    this.perMinute = perMinute;
    this.#now = now;
    this.#left = perMinute;
    this.#at = now();
  }

  get left(): number {
    const now = this.#now();
    this.#left = Math.min(this.perMinute, this.#left + ((now - this.#at) * this.perMinute) / 60_000);
    this.#at = now;
    return this.#left;
  }

  take(amount: number): void {
    this.#left = this.left - amount;
  }

  /** How long until it holds this amount. */
  wait(amount: number): number {
    return Math.max(0, ((amount - this.left) * 60_000) / this.perMinute);
  }

  headers(): Record<string, string> {
    return {
      [`x-ratelimit-limit-${this.kind}`]: `${this.perMinute}`,
      [`x-ratelimit-remaining-${this.kind}`]: `${Math.floor(this.left)}`,
      [`x-ratelimit-reset-${this.kind}`]: duration(this.wait(this.perMinute)),
    };
  }
}

/** As Go prints it: `6m0s`, `1.25s`, `20ms`. */
function duration(milliseconds: number): string {
  const whole = Math.ceil(milliseconds);
  if (whole < 1_000) return `${whole}ms`;
  const minutes = Math.floor(whole / 60_000);
  const seconds = `${(whole % 60_000) / 1_000}s`;
  return minutes > 0 ? `${minutes}m${seconds}` : seconds;
}

const NAMES = { requests: "requests per min (RPM)", tokens: "tokens per min (TPM)" };

function refusal(bucket: Bucket, model: string, requested: number): ApiError {
  const { kind, perMinute } = bucket;
  const of = `${model} on ${NAMES[kind]}: Limit ${perMinute}`;
  const body = { type: kind, code: "rate_limit_exceeded" };
  if (requested > perMinute)
    return new ApiError(429, {
      ...body,
      message: `Request too large for ${of}, Requested ${requested}. The input tokens must be reduced in order to run successfully.`,
    });
  const wait = Math.max(1, Math.ceil(bucket.wait(requested)));
  const used = Math.ceil(perMinute - bucket.left);
  return new ApiError(
    429,
    {
      ...body,
      message: `Rate limit reached for ${of}, Used ${used}, Requested ${requested}. Please try again in ${duration(wait)}. Visit https://platform.openai.com/account/rate-limits to learn more.`,
    },
    { "retry-after-ms": `${wait}`, "retry-after": `${Math.ceil(wait / 1_000)}` },
  );
}

/**
 * OpenAI's limits per minute, as OpenAI enforces them (https://platform.openai.com/docs/guides/rate-limits): buckets
 * that refill continuously, and 429 with the time to wait if one has too little. A request that fails for its tokens
 * counts as a request.
 */
export function createRateLimits(
  { tokensPerMinute, requestsPerMinute }: RateLimits,
  now: () => number = () => performance.now(),
) {
  const bucket = (kind: Kind, perMinute: number | undefined) =>
    perMinute === undefined ? [] : [new Bucket(kind, perMinute, now)];
  const buckets = [...bucket("requests", requestsPerMinute), ...bucket("tokens", tokensPerMinute)];
  return {
    /** Acquires a request of this many tokens. Throws OpenAI's 429 if a limit does not allow it now. */
    take(model: string, tokens: number): void {
      for (const one of buckets) {
        const amount = one.kind === "tokens" ? tokens : 1;
        if (one.left < amount) throw refusal(one, model, amount);
        one.take(amount);
      }
    },
    /** Leaves this many of the minute's tokens, as in the middle of a long backfill. */
    leaveTokens(tokens: number): void {
      for (const one of buckets) if (one.kind === "tokens") one.take(one.left - tokens);
    },
    /** The state of the limits, which every response of OpenAI carries; none without a limit. */
    headers: (): Record<string, string> => Object.assign({}, ...buckets.map((one) => one.headers())),
  };
}

import { ApiError } from "./api-error.ts";

/** What is allowed in a minute; without a number there is no limit. */
export type RateLimits = { tokensPerMinute?: number | undefined; requestsPerMinute?: number | undefined };

type Kind = "requests" | "tokens";

/** Holds what a minute allows, is full at first, and is refilled all the time. In milliseconds. */
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

  /** How long until it holds so much. */
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
 * OpenAI's limits a minute, as it enforces them (https://platform.openai.com/docs/guides/rate-limits): buckets that
 * refill all the time, 429 with the time to wait when one has too little. A request that is refused for its tokens
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
    /** Takes a request of so many tokens. Throws OpenAI's 429 when a limit does not allow it now. */
    take(model: string, tokens: number): void {
      for (const one of buckets) {
        const amount = one.kind === "tokens" ? tokens : 1;
        if (one.left < amount) throw refusal(one, model, amount);
        one.take(amount);
      }
    },
    /** Leaves so many of the tokens of this minute, as in the middle of a long backfill. */
    leaveTokens(tokens: number): void {
      for (const one of buckets) if (one.kind === "tokens") one.take(one.left - tokens);
    },
    /** How the limits stand, as each answer of OpenAI tells; none without a limit. */
    headers: (): Record<string, string> => Object.assign({}, ...buckets.map((one) => one.headers())),
  };
}

import type { MiddlewareHandler } from "hono";
import type { Clock } from "./clock.ts";

const INTERVAL_MS = 10_000;

/** A token bucket that is refilled every ten seconds, and holds half a minute's requests. */
interface Bucket {
  left: number;
  refilledAt: number;
}

/**
 * Counts the requests to the API, and rejects those above a number per minute like the cloud: per key, before the key
 * is checked (apps/webapp/app/services/{apiRateLimit,authorizationRateLimitMiddleware}.server.ts of
 * triggerdotdev/trigger.dev, where the cloud's 1,500 are 250 in ten seconds and at most 750).
 */
export function createRateLimit(requestsPerMinute: number | undefined, clock: Clock) {
  const counts = { requests: 0, refused: 0 };
  const buckets = new Map<string, Bucket>();
  const limit = Math.max(1, Math.floor((requestsPerMinute ?? 0) / 2));
  const refill = (requestsPerMinute ?? 0) / 6;

  function bucketOf(key: string): Bucket {
    const now = clock.now();
    const bucket = buckets.get(key) ?? { left: limit, refilledAt: now };
    const times = Math.floor((now - bucket.refilledAt) / INTERVAL_MS);
    bucket.left = Math.min(limit, bucket.left + times * refill);
    bucket.refilledAt += times * INTERVAL_MS;
    buckets.set(key, bucket);
    return bucket;
  }

  const middleware: MiddlewareHandler = async (c, next) => {
    counts.requests += 1;
    if (requestsPerMinute === undefined) return next();
    const bucket = bucketOf(c.req.header("authorization") ?? "");
    const reset = bucket.refilledAt + INTERVAL_MS;
    const isRefused = bucket.left < 1;
    if (!isRefused) bucket.left -= 1;
    const remaining = Math.floor(bucket.left);
    c.header("x-ratelimit-limit", `${limit}`);
    c.header("x-ratelimit-remaining", `${remaining}`);
    c.header("x-ratelimit-reset", `${reset}`);
    if (!isRefused) return next();
    counts.refused += 1;
    const secondsUntilReset = (reset - clock.now()) / 1_000;
    const error = `Rate limit exceeded ${remaining}/${limit} requests remaining. Retry in ${secondsUntilReset} seconds.`;
    const problem = { title: "Rate Limit Exceeded", status: 429, reset, limit, remaining, secondsUntilReset };
    return c.json({ ...problem, detail: error, error }, 429, { "Content-Type": "application/problem+json" });
  };

  return { middleware, stats: () => ({ ...counts }) };
}

export type RateLimit = ReturnType<typeof createRateLimit>;

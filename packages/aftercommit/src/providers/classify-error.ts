import { APIError } from "openai";
import { EnvironmentError } from "../env/env.ts";
import { InvalidMessageError } from "../errors.ts";
import { ModelError } from "../models/models.ts";
import { SourceError } from "../source.ts";
import { FailedTextError, PausedError, RateLimitedError } from "./errors.ts";

/** What to do with a failed attempt: give up, try again at a time, or try again with the task's backoff. */
export type Verdict = { kind: "abort" } | { kind: "retryAt"; at: Date } | { kind: "retry" };

const numberOf = (text = "") => (/^\d+(\.\d+)?$/.test(text.trim()) ? Number(text) : Number.NaN);

// Limits are those of a minute, and a provider that asks for a day may be wrong: it is asked again earlier.
const LONGEST_WAIT_MS = 5 * 60_000;

/** How long the provider asks to wait, at most five minutes; NaN where it does not. */
export function retryAfterMs(headers: Headers | undefined, now: Date): number {
  const after = headers?.get("retry-after") ?? "";
  const waits = [
    numberOf(headers?.get("retry-after-ms") ?? ""),
    numberOf(after) * 1000,
    Date.parse(after) - now.getTime(),
  ];
  return Math.min(LONGEST_WAIT_MS, waits.find(Number.isFinite) ?? Number.NaN);
}

const isQuotaExhausted = ({ code, type }: APIError) => [code, type].includes("insufficient_quota");
const isTransient = (status: number) => status === 408 || status === 409 || status === 429 || status >= 500;

const NON_RETRYABLE = [EnvironmentError, InvalidMessageError, ModelError, SourceError, FailedTextError];

/**
 * Classifies what a run threw. An exhausted quota is a 429 as well, and waiting does not fill it.
 * (platform.openai.com/docs/guides/error-codes)
 */
export function classifyError(error: unknown, now: Date): Verdict {
  if (NON_RETRYABLE.some((type) => error instanceof type)) return { kind: "abort" };
  if (error instanceof RateLimitedError || error instanceof PausedError)
    return { kind: "retryAt", at: new Date(error.retryAt) };
  if (!(error instanceof APIError) || error.status === undefined) return { kind: "retry" };
  if (isQuotaExhausted(error) || !isTransient(error.status)) return { kind: "abort" };
  const wait = retryAfterMs(error.headers, now);
  // A wait of nothing would use up all attempts in a moment.
  return wait > 0 ? { kind: "retryAt", at: new Date(now.getTime() + wait) } : { kind: "retry" };
}

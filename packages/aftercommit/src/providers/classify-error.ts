import { APIError } from "openai";
import { EnvironmentError } from "../env/env.ts";
import { InvalidMessageError } from "../errors.ts";
import { ModelError } from "../models/models.ts";
import { SourceError } from "../source.ts";
import { FailedTextError, PausedError, RateLimitedError } from "./errors.ts";

/** What to do after a failed attempt: give up, retry at a time, or retry with the task's backoff. */
export type Verdict = { kind: "abort" } | { kind: "retryAt"; at: Date } | { kind: "retry" };

const numberOf = (text = "") => (/^\d+(\.\d+)?$/.test(text.trim()) ? Number(text) : Number.NaN);

// Limits are per minute, and a provider that asks for a day may be wrong: it gets a request earlier.
const LONGEST_WAIT_MS = 5 * 60_000;

/** How long the provider asks to wait, at most five minutes; NaN if it does not. */
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
 * Classifies what a run threw. An exhausted quota is a 429 as well, but waiting does not help
 * (platform.openai.com/docs/guides/error-codes).
 */
export function classifyError(error: unknown, now: Date): Verdict {
  if (NON_RETRYABLE.some((type) => error instanceof type)) return { kind: "abort" };
  if (error instanceof RateLimitedError || error instanceof PausedError)
    return { kind: "retryAt", at: new Date(error.retryAt) };
  if (!(error instanceof APIError) || error.status === undefined) return { kind: "retry" };
  if (isQuotaExhausted(error) || !isTransient(error.status)) return { kind: "abort" };
  const wait = retryAfterMs(error.headers, now);
  // A zero wait would use up all attempts in a moment.
  return wait > 0 ? { kind: "retryAt", at: new Date(now.getTime() + wait) } : { kind: "retry" };
}

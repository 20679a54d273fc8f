import OpenAI from "openai";
import { EnvironmentError } from "../env.ts";
import { InvalidMessageError } from "../errors.ts";
import { EmbeddingShapeError } from "./provider.ts";

/** What to do with a failed attempt: give up, try again at a time, or try again with the task's backoff. */
export type Verdict = { kind: "abort" } | { kind: "retryAt"; at: Date } | { kind: "retry" };

function retryAfterMs(headers: Headers | undefined, now: Date): number | undefined {
  const ms = Number(headers?.get("retry-after-ms") ?? Number.NaN);
  if (Number.isFinite(ms)) return ms;
  const after = headers?.get("retry-after");
  if (!after) return undefined;
  const wait = /^\d+(\.\d+)?$/.test(after.trim()) ? Number(after) * 1000 : Date.parse(after) - now.getTime();
  return Number.isFinite(wait) ? Math.max(0, wait) : undefined;
}

const isTransient = (status: number) => status === 408 || status === 409 || status === 429 || status >= 500;

const HOPELESS = [EnvironmentError, EmbeddingShapeError, InvalidMessageError];

/**
 * Classifies what a run threw. An exhausted quota is a 429 as well, and waiting does not fill it.
 * (platform.openai.com/docs/guides/error-codes)
 */
export function classifyError(error: unknown, now: Date): Verdict {
  if (HOPELESS.some((type) => error instanceof type)) return { kind: "abort" };
  if (!(error instanceof OpenAI.APIError) || error.status === undefined) return { kind: "retry" };
  if (error.code === "insufficient_quota" || !isTransient(error.status)) return { kind: "abort" };
  const wait = retryAfterMs(error.headers, now);
  return wait === undefined ? { kind: "retry" } : { kind: "retryAt", at: new Date(now.getTime() + wait) };
}

import { APIError } from "openai";
import { EmbeddingShapeError } from "../declare/provider.ts";
import { EnvironmentError } from "../env/env.ts";
import { rootMessageOf } from "../errors.ts";
import { log } from "../log.ts";
import { type Model, ModelError, pauseModel } from "../models/models.ts";
import { classifyError } from "../providers/classify-error.ts";
import { PausedError, RateLimitedError } from "../providers/errors.ts";
import type { Queries } from "../source.ts";

/** Why a model makes nothing now, and when to ask it again, in Unix milliseconds. */
export type Deferral = { at: number; error: unknown };

// A failure that is not about one text costs no row an attempt, and the provider gets no request for this long.
const PAUSE_SECONDS = { abort: 15, retry: 5 };

export function deferralOf({ name, pausedUntil, pauseReason }: Model): Deferral | undefined {
  if (pausedUntil === null) return undefined;
  return { at: pausedUntil, error: new PausedError({ name, pausedUntil, pauseReason }) };
}

const isOfProvider = (error: unknown) =>
  [APIError, EmbeddingShapeError, EnvironmentError, ModelError].some((type) => error instanceof type);

/**
 * Rule 6: a failure that is not about one text pauses the model for all processes. Rejects with the error if it is not
 * the provider's.
 */
export async function deferModel(db: Queries, model: Model, error: unknown): Promise<Deferral> {
  if (error instanceof RateLimitedError) return { at: error.retryAt, error };
  if (!isOfProvider(error)) throw error;
  const verdict = classifyError(error, new Date());
  const wait =
    verdict.kind === "retryAt" ? (verdict.at.getTime() - Date.now()) / 1000 : PAUSE_SECONDS[verdict.kind];
  const seconds = Math.max(1, wait);
  const reason = rootMessageOf(error);
  log("warn", "model.paused", { model: model.name, seconds, reason });
  await pauseModel(db, model.id, { seconds, reason });
  return { at: Date.now() + seconds * 1000, error };
}

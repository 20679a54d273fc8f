import { setTimeout as sleep } from "node:timers/promises";
import { APIError } from "openai";
import type { Database } from "../db/client.ts";
import { rootMessageOf } from "../errors.ts";
import { log } from "../log.ts";
import { addUsage } from "../usage/usage.ts";
import { classifyError } from "./classify-error.ts";
import { RateLimitedError } from "./errors.ts";
import { limits } from "./limits.ts";
import type { Answer, EmbedTexts, ProviderModel } from "./provider.ts";
import { acquire, correct } from "./rate-limiter.ts";

export type Input = { text: string; tokens: number };

export type Ask = {
  db: Database;
  model: ProviderModel;
  embed: EmbedTexts;
  /** Goes before all others: an edit, or somebody's search. */
  priority: boolean;
  timeoutMs?: number;
};

// A longer wait is no sleep in a run, which costs money: the work is done later.
const LONGEST_SLEEP_MS = 3_000;
// A provider that asks for more is asked again earlier: limits are those of a minute.
const LONGEST_BLOCK_MS = 5 * 60_000;
const DEFAULT_BLOCK_MS = 2_000;

async function reserve({ db, model, priority }: Ask, tokens: number): Promise<void> {
  for (;;) {
    const wait = await acquire(db, { name: model.name, tokens, priority, limits: limits() });
    if (wait === 0) return;
    if (wait > LONGEST_SLEEP_MS) throw new RateLimitedError(model.name, wait);
    await sleep(wait);
  }
}

/** How long everybody has to wait after an answer; undefined where it is no rate limit, or waiting does not help. */
function blockAfter(error: unknown): number | undefined {
  if (!(error instanceof APIError) || error.status !== 429) return undefined;
  const now = Date.now();
  const verdict = classifyError(error, new Date(now));
  if (verdict.kind === "abort") return undefined;
  return verdict.kind === "retryAt"
    ? Math.min(LONGEST_BLOCK_MS, verdict.at.getTime() - now)
    : DEFAULT_BLOCK_MS;
}

// The vectors are paid for: that they are counted is worth less than they are.
async function note(db: Database, { name }: ProviderModel, answer: Answer, tokens: number): Promise<void> {
  try {
    await Promise.all([addUsage(db, { model: name, tokens }), correct(db, name, answer.left)]);
  } catch (error) {
    log("warn", "embedding.usage_not_counted", { model: name, tokens, error: rootMessageOf(error) });
  }
}

/**
 * One request to the provider, when the limits that all processes share have room for it. A 429 holds for all processes,
 * and costs no attempt.
 * Rejects as the provider does, or with RateLimitedError where there is no room for more than a few seconds.
 */
export async function askProvider(
  inputs: readonly Input[],
  ask: Ask,
): Promise<{ vectors: Float32Array[]; tokens: number }> {
  const { db, model, embed, timeoutMs } = ask;
  const counted = inputs.reduce((sum, input) => sum + input.tokens, 0);
  for (;;) {
    await reserve(ask, counted);
    try {
      const answer = await embed(
        model,
        inputs.map(({ text }) => text),
        timeoutMs === undefined ? {} : { timeoutMs },
      );
      const tokens = Number.isFinite(answer.tokens) ? answer.tokens : counted;
      await note(db, model, answer, tokens);
      return { vectors: answer.vectors, tokens };
    } catch (error) {
      const waitMs = blockAfter(error);
      // Whatever failed was not charged for. What a rate limit means is recorded for everybody before anything else.
      await correct(db, model.name, { refund: counted, waitMs });
      if (waitMs === undefined) throw error;
      log("warn", "embedding.rate_limited", { model: model.name, waitMs });
      if (waitMs > LONGEST_SLEEP_MS) throw new RateLimitedError(model.name, waitMs);
    }
  }
}

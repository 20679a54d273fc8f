import { setTimeout as sleep } from "node:timers/promises";
import { APIError } from "openai";
import type { Database } from "../db/client.ts";
import type { Answer, Outcome, Provider, Purpose } from "../declare/provider.ts";
import { rootMessageOf } from "../errors.ts";
import { log } from "../log.ts";
import { addUsage, reserveUsage } from "../usage/usage.ts";
import { classifyError } from "./classify-error.ts";
import { embedTexts, type ProviderModel } from "./embed-texts.ts";
import { RateLimitedError, SearchRateError, SpendCapError } from "./errors.ts";
import { limitsOf, SEARCH_SHARE, searchLimitsOf, tokensPerDay } from "./limits.ts";
import { acquire, correct } from "./rate-limiter.ts";

export type Input = { text: string; tokens: number };

export type Ask = {
  db: Database;
  provider: Provider;
  model: ProviderModel;
  purpose: Purpose;
  /** Acquires limits before all others: an edit, or someone's search. */
  priority: boolean;
  timeoutMs?: number;
};

// A run that sleeps costs money, so after a longer wait the work is done later.
const LONGEST_SLEEP_MS = 3_000;
const DEFAULT_BLOCK_MS = 2_000;
// The cap may be raised before the day ends.
const CAP_AGAIN_MS = 10 * 60_000;

async function reserve(
  { db, provider, model, priority }: Ask,
  tokens: number,
  inputs: number,
): Promise<void> {
  for (;;) {
    const request = { name: model.name, tokens, inputs, priority, limits: limitsOf(provider) };
    const wait = await acquire(db, request);
    if (wait === 0) return;
    if (wait > LONGEST_SLEEP_MS) throw new RateLimitedError(model.name, wait);
    await sleep(wait);
  }
}

/** Searches have a bucket, too, so that rows are embedded however many searches there are. They do not wait for it. */
async function reserveSearch({ db, provider, model }: Ask, tokens: number): Promise<void> {
  const limits = searchLimitsOf(provider);
  const wait = await acquire(db, { name: `${model.name} search`, tokens, priority: false, limits });
  if (wait > 0) throw new SearchRateError(model.name, wait);
}

/** Reserves tokens of the day if it has a cap. Resolves with how many; rejects with SpendCapError if none are left. */
async function reserveDay({ db, model, purpose }: Ask, tokens: number): Promise<number> {
  const most = tokensPerDay();
  if (most === undefined) return 0;
  const reservation = { model: model.name, purpose, tokens, most, mostSearched: most * SEARCH_SHARE };
  if (await reserveUsage(db, reservation)) return tokens;
  throw new SpendCapError(model.name, CAP_AGAIN_MS);
}

const release = async ({ db, model, purpose }: Ask, reserved: number) =>
  reserved > 0 && addUsage(db, { model: model.name, purpose, tokens: -reserved, calls: 0 });

/** How long every process must wait after a response; undefined if it is not a rate limit, or waiting does not help. */
function blockAfter(error: unknown): number | undefined {
  if (!(error instanceof APIError) || error.status !== 429) return undefined;
  const now = Date.now();
  const verdict = classifyError(error, new Date(now));
  if (verdict.kind === "abort") return undefined;
  return verdict.kind === "retryAt" ? verdict.at.getTime() - now : DEFAULT_BLOCK_MS;
}

// The vectors are paid for, so a failure to count them must not lose them.
async function note(
  { db, model: { name }, purpose }: Ask,
  left: Answer["left"],
  tokens: number,
): Promise<void> {
  try {
    await Promise.all([addUsage(db, { model: name, purpose, tokens }), correct(db, name, left)]);
  } catch (error) {
    log("warn", "embedding.usage_not_counted", { model: name, tokens, error: rootMessageOf(error) });
  }
}

/**
 * Sends one request to the provider, once the limits that all processes share allow it. A 429 applies to all processes,
 * and costs no attempt. Rejects like {@link embedTexts}, or with RateLimitedError if the wait would be longer than a
 * few seconds.
 */
export async function askProvider(
  inputs: readonly Input[],
  ask: Ask,
): Promise<{ outcomes: Outcome[]; tokens: number }> {
  const { db, provider, model, purpose, timeoutMs } = ask;
  const counted = inputs.reduce((sum, input) => sum + input.tokens, 0);
  const texts = inputs.map(({ text }) => text);
  if (purpose === "query") await reserveSearch(ask, counted);
  for (;;) {
    const reserved = await reserveDay(ask, counted);
    try {
      await reserve(ask, counted, inputs.length);
    } catch (error) {
      await release(ask, reserved);
      throw error;
    }
    try {
      const answer = await embedTexts(provider, model, texts, { purpose, timeoutMs });
      const tokens = Number.isFinite(answer.tokens) ? answer.tokens : counted;
      await note(ask, answer.left, tokens - reserved);
      return { outcomes: answer.outcomes, tokens };
    } catch (error) {
      const waitMs = blockAfter(error);
      // A failed request costs nothing. A rate limit is recorded for every process before anything else happens.
      await correct(db, model.name, { refund: counted, waitMs });
      await release(ask, reserved);
      if (waitMs === undefined) throw error;
      log("warn", "embedding.rate_limited", { model: model.name, waitMs });
      if (waitMs > LONGEST_SLEEP_MS) throw new RateLimitedError(model.name, waitMs);
    }
  }
}

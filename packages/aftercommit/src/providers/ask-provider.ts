import { setTimeout as sleep } from "node:timers/promises";
import type { Database } from "../db/client.ts";
import type { Outcome, Provider, Purpose } from "../declare/provider.ts";
import { log } from "../log.ts";
import { blockAfter, noteUsage, releaseDay, reserveDay } from "./budget.ts";
import { embedTexts, type ProviderModel } from "./embed-texts.ts";
import { RateLimitedError, SearchRateError } from "./errors.ts";
import { limitsOf, SEARCH_SHARE } from "./limits.ts";
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
// After so many 429, the provider has another limit than it says, and the work is done later as well.
const MOST_REFUSED = 5;

/**
 * Rejects with RateLimitedError rather than wait for long. All waits of a search count together, because nobody reads a
 * late answer.
 */
async function reserve(
  { db, provider, model, purpose, priority }: Ask,
  tokens: number,
  inputs: number,
): Promise<void> {
  for (let waited = 0; ; ) {
    const request = { name: model.name, tokens, inputs, priority, limits: limitsOf(provider) };
    const wait = await acquire(db, request);
    if (wait === 0) return;
    if (purpose === "query") waited += wait;
    if (Math.max(wait, waited) > LONGEST_SLEEP_MS) throw new RateLimitedError(model.name, wait);
    await sleep(wait);
  }
}

/** Searches have a bucket, too, so that rows are embedded however many searches there are. They do not wait for it. */
async function reserveSearch({ db, provider, model }: Ask, tokens: number): Promise<void> {
  const { tokensPerMinute, requestsPerMinute } = limitsOf(provider);
  // A search is one request with one input.
  const limits = {
    tokensPerMinute: tokensPerMinute * SEARCH_SHARE,
    requestsPerMinute: requestsPerMinute * SEARCH_SHARE,
  };
  const wait = await acquire(db, { name: `${model.name} search`, tokens, priority: false, limits });
  if (wait > 0) throw new SearchRateError(model.name, wait);
}

/**
 * Sends one request to the provider, once the limits that all processes share allow it. A 429 applies to all processes,
 * and costs no attempt. Rejects like {@link embedTexts}, or with RateLimitedError if the wait would be longer than a
 * few seconds. A search does not send its request again.
 */
export async function askProvider(
  inputs: readonly Input[],
  ask: Ask,
): Promise<{ outcomes: Outcome[]; tokens: number }> {
  const { db, provider, model, purpose, timeoutMs } = ask;
  const counted = inputs.reduce((sum, input) => sum + input.tokens, 0);
  const texts = inputs.map(({ text }) => text);
  if (purpose === "query") await reserveSearch(ask, counted);
  for (let refused = 1; ; refused += 1) {
    const reserved = await reserveDay(ask, counted);
    try {
      await reserve(ask, counted, inputs.length);
    } catch (error) {
      await releaseDay(ask, reserved);
      throw error;
    }
    try {
      const answer = await embedTexts(provider, model, texts, { purpose, timeoutMs });
      const tokens = Number.isFinite(answer.tokens) ? answer.tokens : counted;
      await noteUsage(ask, answer.left, tokens - reserved);
      return { outcomes: answer.outcomes, tokens };
    } catch (error) {
      const waitMs = blockAfter(error);
      // A failed request costs nothing. A rate limit is recorded for every process before anything else happens.
      await correct(db, model.name, { refund: counted, waitMs });
      await releaseDay(ask, reserved);
      if (waitMs === undefined) throw error;
      log("warn", "embedding.rate_limited", { model: model.name, waitMs });
      if (waitMs > LONGEST_SLEEP_MS || refused >= MOST_REFUSED || purpose === "query")
        throw new RateLimitedError(model.name, waitMs);
    }
  }
}

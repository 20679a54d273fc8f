import type { Database } from "../db/client.ts";
import type { Reranker } from "../declare/reranker.ts";
import { withDeadline } from "../with-deadline.ts";
import { blockAfter, noteUsage, releaseDay, reserveDay } from "./budget.ts";
import { PausedError } from "./errors.ts";
import { acquire, correct } from "./rate-limiter.ts";

export type AskReranker = {
  db: Database;
  /** What its limits and its usage are stored under. */
  name: string;
  reranker: Reranker;
  query: string;
  passages: readonly string[];
  /** In Unix milliseconds. */
  deadline: number;
};

const UNLIMITED = { tokensPerMinute: 1e12, requestsPerMinute: 1e12 };
// After a failure, searches do not wait for it for a while.
const PAUSE_MS = 5_000;

/**
 * Asks a reranker once, within its limits and the tokens of the day. Four characters count as a token, and the query
 * once per passage. Rejects with PausedError after a failure or a rate limit, for all processes, with SpendCapError, or
 * as the reranker does.
 */
export async function askReranker(ask: AskReranker): Promise<readonly number[]> {
  const { db, name, reranker, query, passages, deadline } = ask;
  const characters = passages.reduce((sum, passage) => sum + query.length + passage.length, 0);
  const tokens = Math.ceil(characters / 4);
  const of = { db, model: { name }, purpose: "query" } as const;
  const limits = reranker.limits ?? UNLIMITED;
  const reserved = await reserveDay(of, tokens);
  const wait = await acquire(db, { name, tokens, inputs: passages.length, priority: false, limits });
  if (wait > 0) {
    await releaseDay(of, reserved);
    throw new PausedError({ name, pausedUntil: Date.now() + wait, pauseReason: "it failed, or has no room" });
  }
  const stop = new AbortController();
  try {
    const scores = await withDeadline(() => reranker(query, passages, { signal: stop.signal }), deadline);
    if (scores.length !== passages.length || !scores.every(Number.isFinite))
      throw new Error(`${name} answered ${scores.length} scores for ${passages.length} passages`);
    await noteUsage(of, {}, tokens - reserved);
    return scores;
  } catch (error) {
    stop.abort(error);
    await correct(db, name, { refund: tokens, waitMs: blockAfter(error) ?? PAUSE_MS });
    await releaseDay(of, reserved);
    throw error;
  }
}

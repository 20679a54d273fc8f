import { APIError } from "openai";
import type { Database } from "../db/client.ts";
import type { Answer, Purpose } from "../declare/provider.ts";
import { optional } from "../env/env.ts";
import { rootMessageOf } from "../errors.ts";
import { log } from "../log.ts";
import { addUsage, reserveUsage } from "../usage/usage.ts";
import { classifyError } from "./classify-error.ts";
import { SpendCapError } from "./errors.ts";
import { SEARCH_SHARE } from "./limits.ts";
import { correct } from "./rate-limiter.ts";

/** What tokens are spent on: an embedding model, or a reranker. */
type Spender = { db: Database; model: { name: string }; purpose: Purpose };

const DEFAULT_BLOCK_MS = 2_000;
// The cap may be raised before the day ends.
const CAP_AGAIN_MS = 10 * 60_000;

/** Reserves tokens of the day if it has a cap. Resolves with how many; rejects with SpendCapError if none are left. */
export async function reserveDay({ db, model, purpose }: Spender, tokens: number): Promise<number> {
  const cap = optional("EMBEDDING_TOKENS_PER_DAY");
  if (cap === undefined) return 0;
  const most = Number(cap);
  const reservation = { model: model.name, purpose, tokens, most, mostSearched: most * SEARCH_SHARE };
  if (await reserveUsage(db, reservation)) return tokens;
  throw new SpendCapError(model.name, CAP_AGAIN_MS);
}

export const releaseDay = async ({ db, model, purpose }: Spender, reserved: number) =>
  reserved > 0 && addUsage(db, { model: model.name, purpose, tokens: -reserved, calls: 0 });

/** How long every process must wait after a response; undefined if it is not a rate limit, or waiting does not help. */
export function blockAfter(error: unknown): number | undefined {
  if (!(error instanceof APIError) || error.status !== 429) return undefined;
  const now = Date.now();
  const verdict = classifyError(error, new Date(now));
  if (verdict.kind === "abort") return undefined;
  return verdict.kind === "retryAt" ? verdict.at.getTime() - now : DEFAULT_BLOCK_MS;
}

/** Counts what a request cost. It is paid for, so a failure to count it must not lose the answer. */
export async function noteUsage(
  { db, model: { name }, purpose }: Spender,
  left: Answer["left"],
  tokens: number,
): Promise<void> {
  try {
    await Promise.all([addUsage(db, { model: name, purpose, tokens }), correct(db, name, left)]);
  } catch (error) {
    log("warn", "embedding.usage_not_counted", { model: name, tokens, error: rootMessageOf(error) });
  }
}

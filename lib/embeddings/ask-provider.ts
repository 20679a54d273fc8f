import { setTimeout as sleep } from "node:timers/promises";
import { APIError } from "openai";
import type { Database } from "../../drizzle/client.ts";
import { addUsage } from "../../drizzle/queries/embedding-usage.ts";
import { correctBudget, takeFromBudget } from "../../drizzle/queries/embeddings/budget.ts";
import { rootMessageOf } from "../errors.ts";
import { log } from "../log.ts";
import { classifyError } from "./classify-error.ts";
import { limits } from "./limits.ts";
import type { Answer, EmbedTexts, Model } from "./provider.ts";

type Input = { text: string; tokens: number };

export type Ask = {
  db: Database;
  model: Model;
  embed: EmbedTexts;
  /** Goes before all that is not urgent: an edit, or somebody's search. */
  urgent: boolean;
  timeoutMs?: number;
  /** Until when to wait for the budget, or as the provider asks, in Unix milliseconds. */
  deadline: number;
};

// Others may give back what they took, or the provider may say more: ask again at least that often.
const LONGEST_SLEEP_MS = 2_000;

/** The provider's limits leave no room before the deadline: the run tries again later. */
export class BudgetError extends Error {
  override readonly name = "BudgetError";
}

async function take({ db, model, urgent, deadline }: Ask, tokens: number): Promise<void> {
  for (;;) {
    const wait = await takeFromBudget(db, { model: model.name, tokens, urgent, limits: limits() });
    if (wait === 0) return;
    if (Date.now() + wait > deadline)
      throw new BudgetError(`the limits of ${model.name} leave no room for ${Math.ceil(wait / 1000)} s`);
    await sleep(Math.min(wait, LONGEST_SLEEP_MS));
  }
}

const isRateLimit = (error: unknown): error is APIError => error instanceof APIError && error.status === 429;

/** How long everybody has to wait after a 429; undefined where waiting does not help, or not before the deadline. */
function waitAfter(error: unknown, deadline: number): number | undefined {
  if (!isRateLimit(error)) return undefined;
  const now = Date.now();
  const verdict = classifyError(error, new Date(now));
  if (verdict.kind === "abort") return undefined;
  const wait = verdict.kind === "retryAt" ? verdict.at.getTime() - now : LONGEST_SLEEP_MS;
  return now + wait > deadline ? undefined : wait;
}

// The vectors are paid for: that they are counted is worth less than they are.
async function note(db: Database, { name }: Model, answer: Answer, tokens: number): Promise<void> {
  try {
    await Promise.all([addUsage(db, { model: name, tokens }), correctBudget(db, name, answer.left)]);
  } catch (error) {
    log("warn", "embedding.usage_not_counted", { model: name, tokens, error: rootMessageOf(error) });
  }
}

/**
 * One request to the provider, when the limits that all processes share have room for it. A 429 is waited for as the
 * provider says, by all processes, and costs the run no attempt.
 * Rejects as the provider does, or with BudgetError when the deadline comes before there is room.
 */
export async function askProvider(
  inputs: readonly Input[],
  ask: Ask,
): Promise<{ vectors: Float32Array[]; tokens: number }> {
  const { db, model, embed, timeoutMs, deadline } = ask;
  const counted = inputs.reduce((sum, input) => sum + input.tokens, 0);
  for (;;) {
    await take(ask, counted);
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
      const waitMs = waitAfter(error, deadline);
      if (waitMs === undefined) throw error;
      log("warn", "embedding.rate_limited", { model: model.name, waitMs });
      await correctBudget(db, model.name, { waitMs });
    }
  }
}

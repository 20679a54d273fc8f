import { sql } from "drizzle-orm";
import type { Database } from "../../client.ts";
import { embeddingBudget } from "../../embedding-tables.ts";

/** What is left of a model's tokens of a minute, and for how many seconds the provider asks everybody to wait. */
export type BudgetLeft = { model: string; tokens: number; blocked: number };

/** The buckets as they are now: what was left when they were last used, and what has flown in since. */
export async function readBudgetLeft(db: Database, tokensPerMinute: number): Promise<BudgetLeft[]> {
  const { model, tokens, blockedUntil, updatedAt } = embeddingBudget;
  const { rows } = await db.execute<BudgetLeft>(sql`
    select ${model} as model,
      least(${tokensPerMinute}::float8,
        ${tokens} + greatest(0, extract(epoch from now() - ${updatedAt})) * ${tokensPerMinute}::float8 / 60)::float8 as tokens,
      greatest(0, coalesce(extract(epoch from ${blockedUntil} - now()), 0))::float8 as blocked
    from ${embeddingBudget}`);
  return rows;
}

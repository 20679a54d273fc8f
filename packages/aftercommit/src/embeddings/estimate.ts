import { sql } from "drizzle-orm";
import type { Database } from "../db/client.ts";
import { readModelsInUse } from "../models/models.ts";
import { MAX_INPUTS, MAX_TOKENS } from "../providers/pack.ts";
import type { Limits } from "../providers/rate-limiter.ts";
import { type EmbeddingSource, rowsSql } from "../source.ts";
import { passages } from "./passages.ts";

const SAMPLE = 2_000;

/** OpenAI's limits of its embedding models by tier (platform.openai.com, the models' pages). */
const TIERS: Readonly<Record<string, Limits>> = {
  "tier 1": { tokensPerMinute: 1_000_000, requestsPerMinute: 3_000 },
  "tier 2": { tokensPerMinute: 1_000_000, requestsPerMinute: 5_000 },
  "tier 3": { tokensPerMinute: 5_000_000, requestsPerMinute: 5_000 },
  "tier 4": { tokensPerMinute: 5_000_000, requestsPerMinute: 10_000 },
  "tier 5": { tokensPerMinute: 10_000_000, requestsPerMinute: 10_000 },
};

// US dollars for a million tokens (openai.com/api/pricing).
const PRICES: Readonly<Record<string, number>> = {
  "text-embedding-3-small": 0.02,
  "text-embedding-3-large": 0.13,
  "text-embedding-ada-002": 0.1,
};

export type Estimate = {
  model: string;
  rows: number;
  /** Rows that were read to estimate the others by. */
  sampled: number;
  tokens: number;
  calls: number;
  /** US dollars; undefined for a model whose price is not known. */
  cost: number | undefined;
  /** Minutes by the limits of each tier alone. */
  minutes: Record<string, number>;
};

/** What it takes to embed so many rows of a table, by a sample of its texts. Spends nothing. */
export async function estimate(
  db: Database,
  { declaration }: EmbeddingSource,
  rows: number,
): Promise<Estimate> {
  const { active } = await readModelsInUse(db);
  const { rows: texts } = await db.execute<{ text: string | null; title: string | null }>(
    sql`select r.text, r.title from ${rowsSql(declaration)} r where r.included limit ${Math.min(SAMPLE, rows)}`,
  );
  const options = { maxTokens: declaration.chunkTokens };
  const sampled = texts.flatMap(({ text, title }) =>
    passages(text ?? "", { ...options, title: title ?? "" }),
  );
  const share = rows / Math.max(1, texts.length);
  const tokens = Math.round(sampled.reduce((sum, passage) => sum + passage.tokens, 0) * share);
  const calls = Math.ceil(Math.max(tokens / MAX_TOKENS, (sampled.length * share) / MAX_INPUTS));
  const price = PRICES[active.name];
  return {
    model: active.name,
    rows,
    sampled: texts.length,
    tokens,
    calls,
    cost: price === undefined ? undefined : (tokens / 1_000_000) * price,
    minutes: Object.fromEntries(
      Object.entries(TIERS).map(([tier, { tokensPerMinute, requestsPerMinute }]) => [
        tier,
        Math.max(tokens / tokensPerMinute, calls / requestsPerMinute),
      ]),
    ),
  };
}

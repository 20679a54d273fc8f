import type { Database } from "../../drizzle/client.ts";
import type { Limits } from "../../drizzle/queries/embeddings/budget.ts";
import { countRowsBehind } from "../../drizzle/queries/embeddings/find-rows-behind.ts";
import { randomTexts } from "../../drizzle/queries/embeddings/sample-texts.ts";
import { database } from "../database.ts";
import type { EmbeddedSource } from "./embedded-source.ts";
import { modelsInUse } from "./models-in-use.ts";
import { MAX_INPUTS, MAX_TOKENS } from "./pack.ts";
import { split } from "./split.ts";

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

/** What it takes to embed all rows of a table that are missing or stale, by a sample of their texts. Spends nothing. */
export async function estimateBackfill(
  { of }: EmbeddedSource,
  { db = database() }: { db?: Database } = {},
): Promise<Estimate> {
  const { active } = await modelsInUse(db);
  const { behind: rows, all } = await countRowsBehind(db, of, active.id);
  const texts = await randomTexts(db, of, { wanted: SAMPLE, all });
  const chunks = texts.map((text) => split(text));
  const share = rows / Math.max(1, texts.length);
  const tokens = Math.round(chunks.flat().reduce((sum, chunk) => sum + chunk.tokens, 0) * share);
  const calls = Math.ceil(Math.max(tokens / MAX_TOKENS, (chunks.flat().length * share) / MAX_INPUTS));
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

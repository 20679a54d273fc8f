import { sql } from "drizzle-orm";
import type { Database } from "../db/client.ts";
import type { Limits } from "../declare/provider.ts";
import { readModelsInUse } from "../models/models.ts";
import { limitsOf } from "../providers/limits.ts";
import { providerOf } from "../providers/provider-of.ts";
import { type EmbeddingSource, rowsSql } from "../source.ts";
import { splitterOf } from "./ask-model.ts";
import { maxInputTokensOf } from "./input-length.ts";

const SAMPLE = 2_000;
const SAMPLE_BYTES = 8_000_000;

/** OpenAI's limits for its embedding models by tier (platform.openai.com, the models' pages). */
const TIERS: Readonly<Record<string, Limits>> = {
  "tier 1": { tokensPerMinute: 1_000_000, requestsPerMinute: 3_000 },
  "tier 2": { tokensPerMinute: 1_000_000, requestsPerMinute: 5_000 },
  "tier 3": { tokensPerMinute: 5_000_000, requestsPerMinute: 5_000 },
  "tier 4": { tokensPerMinute: 5_000_000, requestsPerMinute: 10_000 },
  "tier 5": { tokensPerMinute: 10_000_000, requestsPerMinute: 10_000 },
};

/** Estimates what it costs to embed a number of rows, from a sample of the table's texts. Spends nothing. */
export async function estimate(db: Database, { declaration }: EmbeddingSource, rows: number) {
  const { active } = await readModelsInUse(db);
  const { rows: texts } = await db.execute<{ text: string | null; title: string | null }>(
    sql`select s.text, s.title from (
      select r.text, r.title, sum(octet_length(r.text)) over (rows between unbounded preceding and 1 preceding) as before
      from ${rowsSql(declaration)} r where r.included limit ${Math.min(SAMPLE, rows)}) s
    where coalesce(s.before, 0) < ${SAMPLE_BYTES}`,
  );
  const provider = providerOf(declaration, active);
  const limits = limitsOf(provider);
  const split = splitterOf(declaration, provider);
  const sampled = texts.flatMap(({ text, title }) =>
    split({ text: text ?? "", title: title ?? "" }, maxInputTokensOf(provider, active)),
  );
  const share = rows / Math.max(1, texts.length);
  const tokens = Math.round(sampled.reduce((sum, passage) => sum + passage.tokens, 0) * share);
  const calls = Math.ceil(
    Math.max(tokens / limits.tokensPerRequest, (sampled.length * share) / limits.inputsPerRequest),
  );
  const price = provider.models[active.name]?.price;
  return {
    model: active.name,
    rows,
    sampled: texts.length,
    tokens,
    calls,
    // In US dollars.
    cost: price === undefined ? undefined : (tokens / 1_000_000) * price,
    // At the limits of each tier; at the declared limits for a provider other than OpenAI.
    minutes: Object.fromEntries(
      Object.entries(provider.name === "openai" ? TIERS : { "declared limits": limits }).map(
        ([tier, { tokensPerMinute, requestsPerMinute }]) => [
          tier,
          Math.max(tokens / tokensPerMinute, calls / requestsPerMinute),
        ],
      ),
    ),
  };
}

export type Estimate = Awaited<ReturnType<typeof estimate>>;

import type { Database } from "../../drizzle/client.ts";
import type { EmbeddingModel } from "../../drizzle/queries/embeddings/models.ts";
import { findNearestRows } from "../../drizzle/queries/embeddings/nearest-rows.ts";
import { sampleTexts } from "../../drizzle/queries/embeddings/sample-texts.ts";
import { database } from "../database.ts";
import { askProvider } from "./ask-provider.ts";
import type { EmbeddedSource } from "./embedded-source.ts";
import { type EmbedTexts, embedTexts } from "./provider.ts";

const QUERIES = 20;
const FIRST = 10;
const QUERY_LENGTH = 200;
const DEADLINE_MS = 120_000;

type Deps = { db?: Database; embed?: EmbedTexts };

/**
 * How much of the first ten results two generations have in common, from 0 to 1, on the beginnings of some rows as
 * queries; undefined where there are no rows.
 */
export async function overlapOfResults(
  { of }: EmbeddedSource,
  models: readonly [EmbeddingModel, EmbeddingModel],
  { db = database(), embed = embedTexts }: Deps = {},
): Promise<number | undefined> {
  const texts = (await sampleTexts(db, of, QUERIES)).map((text) => text.trim().slice(0, QUERY_LENGTH));
  if (texts.length === 0) return undefined;
  const inputs = texts.map((text) => ({ text, tokens: Math.ceil(text.length / 3) }));
  const results: Set<string>[][] = [];
  for (const model of models) {
    const ask = { db, model, embed, urgent: true, deadline: Date.now() + DEADLINE_MS };
    const { vectors } = await askProvider(inputs, ask);
    const found: Set<string>[] = [];
    for (const vector of vectors) {
      const rows = await findNearestRows(db, of, { vector, model, limit: FIRST });
      found.push(new Set(rows.map(({ id }) => id)));
    }
    results.push(found);
  }
  const [before = [], after = []] = results;
  const shares = before.map((ids, index) => {
    const other = after[index] ?? new Set();
    return [...ids].filter((id) => other.has(id)).length / Math.max(1, ids.size);
  });
  return shares.reduce((sum, share) => sum + share, 0) / shares.length;
}

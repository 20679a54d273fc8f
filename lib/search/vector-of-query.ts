import type { Database } from "../../drizzle/client.ts";
import { addUsage } from "../../drizzle/queries/embedding-usage.ts";
import { type EmbedChunks, EmbeddingShapeError } from "../embeddings/provider.ts";

const MAX_KEPT = 200;
// A person waits for the answer.
const TIMEOUT_MS = 10_000;

const kept = new Map<string, Promise<number[]>>();

async function embedText(text: string, db: Database, embed: EmbedChunks): Promise<number[]> {
  const { vectors } = await embed([{ text, tokens: Math.ceil(text.length / 4) }], {
    timeoutMs: TIMEOUT_MS,
    used: (usage) => addUsage(db, usage),
  });
  const [vector] = vectors;
  if (!vector) throw new EmbeddingShapeError("The provider answered no vector");
  return vector;
}

/**
 * The vector of a search text. The last 200 are kept, so that a page of results that refreshes itself asks the
 * provider once. Rejects as the provider does.
 */
export function vectorOfQuery(
  text: string,
  { model, db, embed }: { model: string; db: Database; embed: EmbedChunks },
): Promise<number[]> {
  const key = `${model}\n${text}`;
  const vector = kept.get(key) ?? embedText(text, db, embed);
  kept.delete(key);
  kept.set(key, vector);
  for (const oldest of kept.keys()) {
    if (kept.size <= MAX_KEPT) break;
    kept.delete(oldest);
  }
  vector.catch(() => {
    if (kept.get(key) === vector) kept.delete(key);
  });
  return vector;
}

import type { Database } from "../db/client.ts";
import { database } from "../db/database.ts";
import { DeclarationError } from "../declaration-error.ts";
import type { EmbeddingDeclaration } from "../declare/declaration.ts";
import { EnvironmentError } from "../env/env.ts";
import { rootMessageOf } from "../errors.ts";
import { log } from "../log.ts";
import { ModelError, readModelsInUse } from "../models/models.ts";
import { SpendCapError } from "../providers/errors.ts";
import { providerOf } from "../providers/provider-of.ts";
import { findNearestRows } from "./nearest-rows.ts";
import { vectorOfQuery } from "./vector-of-query.ts";

/**
 * A row that was found, with its declared columns. `snippet` is the passage that matched, `score` the cosine
 * similarity, at most 1.
 */
export type SearchResult = { id: string; columns: Record<string, unknown>; snippet: string; score: number };

/** The embedding provider or the database does not answer now. The message is safe to show. */
export class SearchUnavailableError extends Error {
  override readonly name = "SearchUnavailableError";
}

async function available<T>(work: () => Promise<T>, message: string): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    log("error", "search.unavailable", { error: message, cause: rootMessageOf(cause) });
    const saysHow = [EnvironmentError, ModelError, DeclarationError, SpendCapError].some(
      (type) => cause instanceof type,
    );
    throw new SearchUnavailableError(saysHow && cause instanceof Error ? cause.message : message, { cause });
  }
}

const NO_DATABASE = "Search needs the database, and that does not answer now; try again in a moment";
const NO_PROVIDER =
  "Search needs the embedding provider, and that does not answer now; try again in a moment";

/**
 * Finds rows of an embedded table by meaning, best first, each with its best passage, among the vectors of the active
 * model. Rejects with SearchUnavailableError if the provider or the database does not answer.
 */
export async function searchRows(
  declaration: EmbeddingDeclaration,
  { q, limit }: { q: string; limit: number },
  { db = database() }: { db?: Database } = {},
): Promise<SearchResult[]> {
  const activeModel = async () => (await available(() => readModelsInUse(db), NO_DATABASE)).active;
  for (let model = await activeModel(); ; ) {
    const asked = model;
    const vector = await available(
      async () => vectorOfQuery(q, { model: asked, provider: providerOf(declaration, asked), db }),
      NO_PROVIDER,
    );
    const found = await available(
      () => findNearestRows(db, declaration, { vector, model, limit }),
      NO_DATABASE,
    );
    const present = await activeModel();
    if (present.id === model.id)
      return found.map(({ id, columns, snippet, distance }) => ({
        id,
        columns,
        snippet: snippet.trim(),
        score: 1 - distance,
      }));
    // If the model is no longer in use, its vectors may already be deleted.
    model = present;
  }
}

import { connect, type Database } from "../../drizzle/client.ts";
import { findNearestRows } from "../../drizzle/queries/embeddings/nearest-rows.ts";
import { findPostsByIds } from "../../drizzle/queries/posts-on-page.ts";
import { modelsInUse } from "../embeddings/models-in-use.ts";
import { posts } from "../embeddings/posts.ts";
import { type EmbedTexts, embedTexts } from "../embeddings/provider.ts";
import { EnvironmentError, required } from "../env.ts";
import { rootMessageOf } from "../errors.ts";
import { log } from "../log.ts";
import type { SearchQuery } from "./query.ts";
import { vectorOfQuery } from "./vector-of-query.ts";

/** `snippet` is the chunk of the post that matched; `score` is the cosine similarity, at most 1. */
export type SearchResult = { id: string; title: string; author: string; snippet: string; score: number };

/** The embedding provider or the database does not answer now; the message is fit to be shown. */
export class SearchUnavailableError extends Error {
  override readonly name = "SearchUnavailableError";
}

async function available<T>(work: () => Promise<T>, message: string): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    log("error", "search.unavailable", { error: message, cause: rootMessageOf(cause) });
    const told = cause instanceof EnvironmentError ? cause.message : message;
    throw new SearchUnavailableError(told, { cause });
  }
}

type Deps = { db?: Database; embed?: EmbedTexts };

/**
 * Finds posts by meaning, the best first, each by its best chunk, among the vectors of the active model.
 * Rejects with SearchUnavailableError when the provider or the database does not answer.
 */
export async function searchPosts(
  { q, limit }: SearchQuery,
  { db = connect(required("DATABASE_URL")), embed = embedTexts }: Deps = {},
): Promise<SearchResult[]> {
  const noDatabase = "Search needs the database, and that does not answer now; try again in a moment";
  const { active: model } = await available(() => modelsInUse(db), noDatabase);
  const vector = await available(
    () => vectorOfQuery(q, { model, db, embed }),
    "Search needs the embedding provider, and that does not answer now; try again in a moment",
  );
  return available(async () => {
    const nearest = await findNearestRows(db, posts.of, { vector, model, limit });
    const found = await findPostsByIds(
      db,
      nearest.map(({ id }) => BigInt(id)),
    );
    const byId = new Map(found.map((post) => [String(post.id), post]));
    return nearest.flatMap(({ id, snippet, distance }) => {
      const post = byId.get(id);
      return post
        ? [{ id, title: post.title, author: post.author, snippet: snippet.trim(), score: 1 - distance }]
        : [];
    });
  }, noDatabase);
}

import { connect, type Database } from "../../drizzle/client.ts";
import { findNearestPosts, type NearestPost } from "../../drizzle/queries/nearest-posts.ts";
import { fingerprintOf, textOf } from "../embeddings/fingerprint.ts";
import { type EmbedChunks, embedChunks, embeddingModel } from "../embeddings/provider.ts";
import { split } from "../embeddings/split.ts";
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

function snippetOf(post: NearestPost, model: string): string {
  const chunks = split(textOf(post));
  // When the text has changed since, the chunk that matched is gone: its run is on its way.
  const matched =
    fingerprintOf(post, model).contentHash === post.contentHash ? chunks[post.chunk] : undefined;
  return (matched ?? chunks[0])?.text.trim() ?? "";
}

type Deps = { db?: Database; embed?: EmbedChunks; model?: string };

/**
 * Finds posts by meaning, the best first, each by its best chunk, among the vectors of the active model.
 * Rejects with SearchUnavailableError when the provider or the database does not answer.
 */
export async function searchPosts(
  { q, limit }: SearchQuery,
  { db = connect(required("DATABASE_URL")), embed = embedChunks, model = embeddingModel() }: Deps = {},
): Promise<SearchResult[]> {
  const vector = await available(
    () => vectorOfQuery(q, { model, db, embed }),
    "Search needs the embedding provider, and that does not answer now; try again in a moment",
  );
  const nearest = await available(
    () => findNearestPosts(db, { vector, model, limit }),
    "Search needs the database, and that does not answer now; try again in a moment",
  );
  return nearest.map((post) => ({
    id: String(post.id),
    title: post.title,
    author: post.author,
    snippet: snippetOf(post, model),
    score: 1 - post.distance,
  }));
}

import type { Database } from "../../drizzle/client.ts";
import { findNearestRows } from "../../drizzle/queries/embeddings/nearest-rows.ts";
import { findPostsByIds } from "../../drizzle/queries/posts-on-page.ts";
import { database } from "../database.ts";
import type { EmbeddedSource } from "../embeddings/embedded-source.ts";
import { modelsInUse, OtherModelError } from "../embeddings/models-in-use.ts";
import { posts } from "../embeddings/posts.ts";
import { type EmbedTexts, embedTexts } from "../embeddings/provider.ts";
import { sources } from "../embeddings/sources.ts";
import { EnvironmentError } from "../env.ts";
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
    const mends = cause instanceof EnvironmentError || cause instanceof OtherModelError;
    const told = mends ? cause.message : message;
    throw new SearchUnavailableError(told, { cause });
  }
}

type Deps = { db?: Database; embed?: EmbedTexts };

/** A row of any embedded table that was found: `snippet` is the chunk that matched. */
export type FoundRow = { id: string; snippet: string; score: number };

const NO_DATABASE = "Search needs the database, and that does not answer now; try again in a moment";
const NO_PROVIDER =
  "Search needs the embedding provider, and that does not answer now; try again in a moment";

/**
 * Finds rows of an embedded table by meaning, the best first, each by its best chunk, among the vectors of the active
 * model. Rejects with SearchUnavailableError when the provider or the database does not answer.
 */
async function searchRows(
  { of }: EmbeddedSource,
  { q, limit }: SearchQuery,
  { db = database(), embed = embedTexts }: Deps = {},
): Promise<FoundRow[]> {
  const activeModel = async () => (await available(() => modelsInUse(db), NO_DATABASE)).active;
  for (let model = await activeModel(); ; ) {
    const vector = await available(() => vectorOfQuery(q, { model, db, embed }), NO_PROVIDER);
    const nearest = await available(() => findNearestRows(db, of, { vector, model, limit }), NO_DATABASE);
    const present = await activeModel();
    if (present.id === model.id)
      return nearest.map(({ id, snippet, distance }) => ({
        id,
        snippet: snippet.trim(),
        score: 1 - distance,
      }));
    // The vectors of a model that is out of use since may be deleted already.
    model = present;
  }
}

/** As {@link searchRows}, among the posts, with their titles and authors. */
export async function searchPosts(query: SearchQuery, deps: Deps = {}): Promise<SearchResult[]> {
  const { db = database() } = deps;
  const found = await searchRows(posts, query, deps);
  const ids = found.map(({ id }) => BigInt(id));
  const byId = new Map(
    (await available(() => findPostsByIds(db, ids), NO_DATABASE)).map((post) => [String(post.id), post]),
  );
  return found.flatMap((row) => {
    const post = byId.get(row.id);
    return post ? [{ ...row, title: post.title, author: post.author }] : [];
  });
}

/** Searches the table that the query names: posts, or the rows of another embedded table. */
export async function search(query: SearchQuery): Promise<FoundRow[] | SearchResult[]> {
  const source = sources.find(({ of }) => of.name === query.in);
  return source === undefined || source === posts ? searchPosts(query) : searchRows(source, query);
}

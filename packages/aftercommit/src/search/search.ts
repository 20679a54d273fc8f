import { DatabaseError } from "pg";
import { database } from "../db/database.ts";
import { DeclarationError } from "../declaration-error.ts";
import type { EmbeddingDeclaration } from "../declare/declaration.ts";
import { EnvironmentError } from "../env/env.ts";
import { rootMessageOf } from "../errors.ts";
import { log } from "../log.ts";
import { ModelError, readModelsInUse } from "../models/models.ts";
import { SpendCapError } from "../providers/errors.ts";
import { providerOf } from "../providers/provider-of.ts";
import { keyTypeOf, SourceError } from "../source.ts";
import { readInTransaction, type SearchConnection } from "./connection.ts";
import { digestOf, isAfter, readCursor, writeCursor } from "./cursor.ts";
import { filterSql } from "./filters.ts";
import { findNearestRows } from "./nearest-rows.ts";
import { checkOptions, InvalidSearchError, type SearchOptions } from "./options.ts";
import { readPresentRows } from "./present-rows.ts";
import { vectorOfQuery } from "./vector-of-query.ts";

/** A row that was found. */
export type SearchResult = {
  id: string;
  /** The declared columns, as they are now. */
  columns: Record<string, unknown>;
  /** The passage of the row's text that matched. */
  passage: string;
  /** How well it matches, from 0 to 1. */
  score: number;
};

/** One page of results. */
export type SearchPage = {
  /** The best first. */
  results: SearchResult[];
  /** Pass it as `after` to get the next page; null on the last one. */
  next: string | null;
};

/**
 * The embedding provider or the database does not answer now. The message is safe to show.
 *
 * @example
 * if (error instanceof SearchUnavailableError) return Response.json({ error: error.message }, { status: 503 });
 */
export class SearchUnavailableError extends Error {
  override readonly name = "SearchUnavailableError";
}

const NO_DATABASE = "Search needs the database, and that does not answer now; try again in a moment";
const NO_PROVIDER =
  "Search needs the embedding provider, and that does not answer now; try again in a moment";
const SAY_HOW = [EnvironmentError, ModelError, DeclarationError, SourceError, SpendCapError];
// Postgres's errors for a value that does not fit the column's type, or cannot be compared.
const OF_A_VALUE = /^(22|42883$)/;

// Pages end after this many results.
const DEEPEST = 1_000;

async function available<T>(work: () => Promise<T>, message: string): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof InvalidSearchError) throw cause;
    log("error", "search.unavailable", { error: message, cause: rootMessageOf(cause) });
    const saysHow = SAY_HOW.some((type) => cause instanceof type);
    throw new SearchUnavailableError(saysHow && cause instanceof Error ? cause.message : message, { cause });
  }
}

async function withValues<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof DatabaseError && OF_A_VALUE.test(error.code ?? ""))
      throw new InvalidSearchError(`where: ${error.message}`);
    throw error;
  }
}

/**
 * Searches an embedded table by meaning, best rows first, each with its best passage.
 * Rejects with InvalidSearchError if an option is invalid, and with SearchUnavailableError if the provider or the
 * database does not answer.
 *
 * @param db Your own connection, if its transaction, role and row level security should apply. Defaults to
 * Aftercommit's pool.
 * @example
 * const { results, next } = await search(posts, {
 *   query: "teaching a dog",
 *   where: { author: "Jane", created_at: { gte: "2026-01-01" } },
 * });
 */
export async function search(
  declaration: EmbeddingDeclaration,
  options: SearchOptions,
  { db = database().$client }: { db?: SearchConnection } = {},
): Promise<SearchPage> {
  const { query, where, limit, after, minScore } = checkOptions(declaration, options);
  const filter = filterSql(declaration, where);
  const digest = digestOf([declaration.row, query, where, minScore]);
  const cursor = after === undefined ? undefined : readCursor(after, digest);
  const place = cursor?.place ?? 0;
  const own = database();
  const activeModel = async () => (await available(() => readModelsInUse(own), NO_DATABASE)).active;
  for (let model = await activeModel(); ; ) {
    const asked = model;
    const vector = await available(
      async () => vectorOfQuery(query, { model: asked, provider: providerOf(declaration, asked), db: own }),
      NO_PROVIDER,
    );
    const keyType = await available(() => keyTypeOf(own, declaration), NO_DATABASE);
    const read = async (client: SearchConnection) => {
      const found = await findNearestRows(client, declaration, {
        vector,
        model: asked,
        limit: Math.min(DEEPEST, place + limit + 1),
        filter,
      });
      const ranked = found
        .map((row) => ({ ...row, score: Math.max(0, 1 - row.distance) }))
        .filter((row) => row.score >= minScore && (!cursor || isAfter(row, cursor)));
      const places = ranked.slice(0, limit);
      const shown = await readPresentRows(client, declaration, { keyType, places });
      const last = places.at(-1);
      return {
        results: places.flatMap(({ id, score }) => {
          const row = shown.get(id);
          return row ? [{ ...row, score }] : [];
        }),
        next:
          ranked.length > limit && last
            ? writeCursor({ score: last.score, id: last.id, place: place + limit }, digest)
            : null,
      };
    };
    const page = await available(() => withValues(() => readInTransaction(db, read)), NO_DATABASE);
    const present = await activeModel();
    if (present.id === model.id) return page;
    // If the model is no longer in use, its vectors may already be deleted.
    model = present;
  }
}

import { sql } from "drizzle-orm";
import { DatabaseError } from "pg";
import { database } from "../db/database.ts";
import type { EmbeddingDeclaration } from "../declare/declaration.ts";
import { type Model, readModelsInUse } from "../models/models.ts";
import { PausedError } from "../providers/errors.ts";
import { providerOf } from "../providers/provider-of.ts";
import { keyTypeOf } from "../source.ts";
import { withDeadline } from "../with-deadline.ts";
import { readInTransaction, rowsOf, type SearchConnection } from "./connection.ts";
import { type Cursor, digestOf, isAfter, readCursor, writeCursor } from "./cursor.ts";
import { filterSql } from "./filters.ts";
import { highlight } from "./highlight.ts";
import { checkOptions, InvalidSearchError, type SearchOptions } from "./options.ts";
import { readPresentRows } from "./present-rows.ts";
import { type Matched, type Ranking, rank } from "./rank.ts";
import { available, NO_DATABASE, NO_PROVIDER, SearchUnavailableError } from "./unavailable.ts";
import { vectorOfQuery } from "./vector-of-query.ts";
import { meaningWeight } from "./weights.ts";
import { withWordConditions } from "./word-conditions.ts";
import { parseQuery, type WordQuery } from "./word-query.ts";
import { readStatistics } from "./word-statistics.ts";

/** A row that was found. */
export type SearchResult = {
  id: string;
  /** The declared columns, as they are now. */
  columns: Record<string, unknown>;
  /** The passage of the row's text that matched. */
  passage: string;
  /** About 300 characters of it as escaped HTML, with each word of the query in a `<mark>`. */
  highlight: string;
  /** How well it matches, from 0 to 1. */
  score: number;
  /** What it was found by. */
  matched: Matched[];
};

/** One page of results. */
export type SearchPage = {
  /** Best first. */
  results: SearchResult[];
  /** Pass it as `after` to get the next page; null on the last one. */
  next: string | null;
  /** Why a hybrid search was made by words only, such as a provider that does not answer. */
  degraded?: string;
};

const DEADLINE_MS = 5_000;
// Of that, what the database needs after the provider has answered.
const DATABASE_MS = 1_500;
// How many rows each half of a hybrid search is asked for at least; and where pages end.
const LEAST_RANKED = 100;
const MOST_RANKED = 1_000;
// Postgres's errors for a value that does not fit the column's type, or cannot be compared.
const OF_A_VALUE = /^(22|42883$)/;

type Search = ReturnType<typeof checkOptions> & {
  declaration: EmbeddingDeclaration;
  db: SearchConnection;
  words: WordQuery;
  cursor: Cursor | undefined;
  digest: string;
  deadline: number;
};

async function vectorOf({ declaration, words, mode, deadline }: Search, model: Model): Promise<Float32Array> {
  // A search by meaning tries a paused model all the same: nothing else would answer it.
  if (mode === "hybrid" && model.pausedUntil !== null)
    throw new PausedError({ ...model, pausedUntil: model.pausedUntil });
  const ask = async () =>
    vectorOfQuery(words.text, { model, provider: providerOf(declaration, model), db: database() });
  return withDeadline(ask, deadline - DATABASE_MS);
}

async function readPage(search: Search, meaning: Ranking["meaning"]): Promise<SearchPage> {
  const { declaration, db, where, mode, words, cursor, digest, limit, minScore, deadline } = search;
  const filter = withWordConditions(declaration, filterSql(declaration, where), words);
  const keyType = await keyTypeOf(database(), declaration);
  const place = (cursor?.place ?? 0) + limit;
  const read = async (client: SearchConnection): Promise<SearchPage> => {
    const timeout = String(Math.max(1, deadline - Date.now()));
    await rowsOf(client, sql`select set_config('statement_timeout', ${timeout}, true)`);
    const found = await rank(client, {
      declaration,
      keyType,
      filter,
      limit: Math.min(MOST_RANKED, Math.max(LEAST_RANKED, place + 1)),
      words: mode === "meaning" ? undefined : await readStatistics(client, declaration, words.terms),
      meaning,
    });
    const ranked = found.filter((row) => row.score >= minScore && (!cursor || isAfter(row, cursor)));
    const places = ranked.slice(0, limit);
    const shown = await readPresentRows(client, declaration, { keyType, places });
    const results = places.flatMap(({ id, score, matched }): SearchResult[] => {
      const row = shown.get(id);
      return row ? [{ ...row, highlight: highlight(row.passage, words.terms), score, matched }] : [];
    });
    const last = ranked.length > limit ? places.at(-1) : undefined;
    return { results, next: last ? writeCursor({ score: last.score, id: last.id, place }, digest) : null };
  };
  try {
    return await readInTransaction(db, read);
  } catch (error) {
    if (error instanceof DatabaseError && OF_A_VALUE.test(error.code ?? ""))
      throw new InvalidSearchError(`where: ${error.message}`);
    throw error;
  }
}

/**
 * Searches an embedded table by words and by meaning, best rows first, each with its best passage. While the embedding
 * provider does not answer, or its budget is used up, a hybrid search is made by words only and says so.
 * Rejects with InvalidSearchError if an option is invalid, and with SearchUnavailableError if the database, or the
 * provider of a search by meaning, does not answer within 5 seconds.
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
  const checked = checkOptions(declaration, options);
  const words = parseQuery(checked.query);
  if (words.text === "") throw new InvalidSearchError("query: has only words to exclude");
  const { query, where, mode, minScore, after } = checked;
  const digest = digestOf([declaration.row, query, where, mode, minScore]);
  const cursor = after === undefined ? undefined : readCursor(after, digest);
  const search: Search = {
    ...checked,
    declaration,
    db,
    words,
    cursor,
    digest,
    deadline: Date.now() + DEADLINE_MS,
  };
  const read = (meaning: Ranking["meaning"]) => available(() => readPage(search, meaning), NO_DATABASE);
  if (mode === "words") return read(undefined);
  const activeModel = async () => (await available(() => readModelsInUse(database()), NO_DATABASE)).active;
  for (let model = await activeModel(); ; ) {
    const asked = model;
    const weight = meaningWeight(declaration.meaningWeight, asked.name);
    let vector: Float32Array;
    try {
      vector = await available(() => vectorOf(search, asked), NO_PROVIDER);
    } catch (error) {
      if (mode === "meaning" || !(error instanceof SearchUnavailableError)) throw error;
      return { ...(await read(undefined)), degraded: error.message };
    }
    const page = await read({ vector, model: asked, weight });
    const present = await activeModel();
    if (present.id === asked.id) return page;
    // If the model is no longer in use, its vectors may already be deleted.
    model = present;
  }
}

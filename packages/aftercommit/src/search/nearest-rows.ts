import { type SQL, sql } from "drizzle-orm";
import { tableSql } from "../db/identifiers.ts";
import type { EmbeddingDeclaration } from "../declare/declaration.ts";
import type { Model } from "../models/models.ts";
import { indexedVector } from "../models/vector-index.ts";
import { rowIdColumn, rowsSql } from "../source.ts";
import { rowsOf, type SearchConnection } from "./connection.ts";

// The nearest chunks may all belong to a few long rows: then the search reads further, up to this many.
const MOST_CHUNKS = 3_200;
// A few rows have several of the nearest chunks, or are deleted.
const CHUNKS_PER_ROW = 1.25;
const MORE_CHUNKS = 4;
// pgvector's ef_search: as many candidates as chunks, within its limit.
const EF_SEARCH = { least: 100, filtered: 400, most: 1_000 };
// Comparing up to this many rows one by one finds all that are nearest; with a filter, the index misses some.
const MOST_SCANNED = 20_000;

export type NearestQuery = {
  vector: Float32Array;
  model: Model;
  limit: number;
  /** A condition over the columns of the rows; all of them if undefined. */
  filter: SQL | undefined;
};

/** A passage in the text of a row, and the hash of the text that it is a passage of. */
export type Place = { textHash: string; start: number; length: number };

/** A row by its nearest passage; `distance` is from 0 to 2. */
export type NearestRow = Place & { id: string; distance: number };

const distanceSql = ({ model, vector }: NearestQuery) =>
  sql`${indexedVector(model, sql`e.embedding`)} <=> ${indexedVector(model, sql`${JSON.stringify([...vector])}::vector`)}`;

// As a cursor compares scores and keys: a score is never below 0.
const ORDER = sql`least(b.distance, 1), b.id::text collate "C"`;

// The model is a literal: with a parameter, the planner could not tell that the partial index fits.
const ofModel = ({ model }: NearestQuery) => sql`e.model_id = ${sql.raw(String(model.id))}`;

/**
 * The best chunk of each row among the nearest `chunks`, and how many there were. Joined with the rows as they are now,
 * so that deleted and excluded rows are never shown.
 */
export function nearestRowsQuery(
  declaration: EmbeddingDeclaration,
  query: NearestQuery,
  chunks: number,
): SQL {
  const { filter, limit } = query;
  const rowId = rowIdColumn(declaration);
  const rows = rowsSql(declaration, filter);
  // With a filter, the join is inside: the index is read until there are enough chunks of matching rows.
  const filtered = filter ? sql`join ${rows} f on f.id = e.${rowId} and f.included` : sql``;
  return sql`
    with nearest as materialized (
      select e.${rowId} as id, e.text_hash, e.start, e.length, ${distanceSql(query)} as distance
      from ${tableSql(declaration.embeddings)} e ${filtered} where ${ofModel(query)}
      order by distance limit ${chunks}
    ), best as (select distinct on (id) * from nearest where distance is not null order by id, distance, start)
    select b.id::text as id, b.text_hash::text as "textHash", b.start, b.length, b.distance,
      (select count(*)::int from nearest) as looked
    from best b join ${rows} r on r.id = b.id and r.included
    order by ${ORDER} limit ${limit}`;
}

/** The nearest of the rows that pass the filter, by comparing all of their vectors. */
function exactRowsQuery(declaration: EmbeddingDeclaration, query: NearestQuery): SQL {
  const rowId = rowIdColumn(declaration);
  return sql`
    with fitting as materialized (select r.id from ${rowsSql(declaration, query.filter)} r where r.included),
    best as (
      select distinct on (e.${rowId}) e.${rowId} as id, e.text_hash, e.start, e.length, ${distanceSql(query)} as distance
      from fitting f join ${tableSql(declaration.embeddings)} e on e.${rowId} = f.id
      where ${ofModel(query)} and e.embedding is not null order by 1, 5, 3
    )
    select b.id::text as id, b.text_hash::text as "textHash", b.start, b.length, b.distance
    from best b where b.distance is not null order by ${ORDER} limit ${query.limit}`;
}

/**
 * Makes the rest of a transaction read the nearest vectors from the index, if there is one, and as many as requested:
 * without iteration, it returns at most ef_search, and fewer if a filter drops some (pgvector 0.8). The planner ignores
 * the cost of fetching a vector stored out of line, and would rather sort all of them.
 */
export async function searchByIndex(db: SearchConnection, efSearch: number): Promise<void> {
  await rowsOf(
    db,
    sql`select set_config('enable_sort', 'off', true),
      set_config('hnsw.ef_search', ${String(efSearch)}, true),
      set_config('hnsw.iterative_scan', 'strict_order', true)`,
  );
}

const searchExactly = (db: SearchConnection) => rowsOf(db, sql`select set_config('enable_sort', 'on', true)`);

type Explained = { "QUERY PLAN": [{ Plan: { "Plan Rows": number } }] };

/**
 * Whether few rows pass a filter, as the planner estimates. In a table with tenants they are counted: the estimate
 * depends on the rows of others.
 */
async function areFew(
  db: SearchConnection,
  declaration: EmbeddingDeclaration,
  filter: SQL,
): Promise<boolean> {
  if (declaration.tenant !== undefined) {
    const [counted] = await rowsOf<{ rows: number }>(
      db,
      sql`select count(*)::int as rows from (
        select from ${rowsSql(declaration, filter)} r where r.included limit ${MOST_SCANNED + 1}) c`,
    );
    return (counted?.rows ?? 0) <= MOST_SCANNED;
  }
  const [row] = await rowsOf<Explained>(
    db,
    sql`explain (format json) select r.id from ${rowsSql(declaration, filter)} r`,
  );
  return (row?.["QUERY PLAN"][0].Plan["Plan Rows"] ?? 0) <= MOST_SCANNED;
}

/** The nearest of the rows that pass the filter, by comparing all of their vectors. */
export async function scanExactly(
  db: SearchConnection,
  declaration: EmbeddingDeclaration,
  query: NearestQuery,
): Promise<NearestRow[]> {
  await searchExactly(db);
  return rowsOf<NearestRow>(db, exactRowsQuery(declaration, query));
}

/**
 * The rows with the nearest chunks of a model, nearest first. If few rows pass the filter, or the index ends before it
 * has found enough of them, all of their vectors are compared. Call it in a transaction.
 */
export async function findNearestRows(
  db: SearchConnection,
  declaration: EmbeddingDeclaration,
  query: NearestQuery,
): Promise<NearestRow[]> {
  const { filter, limit } = query;
  if (filter && (await areFew(db, declaration, filter))) return scanExactly(db, declaration, query);
  const first = Math.ceil(limit * CHUNKS_PER_ROW);
  const candidates = Math.max(EF_SEARCH.least, Math.min(first, EF_SEARCH.most));
  await searchByIndex(db, filter ? EF_SEARCH.filtered : candidates);
  for (let chunks = first; ; chunks *= MORE_CHUNKS) {
    const rows = await rowsOf<NearestRow & { looked: number }>(
      db,
      nearestRowsQuery(declaration, query, chunks),
    );
    if (rows.length === limit) return rows;
    const isAll = (rows[0]?.looked ?? 0) < chunks;
    if (filter && (isAll || chunks >= MOST_CHUNKS)) return scanExactly(db, declaration, query);
    if (isAll || chunks >= MOST_CHUNKS) return rows;
  }
}

import { type SQL, sql } from "drizzle-orm";
import type { Database } from "../db/client.ts";
import { tableSql } from "../db/identifiers.ts";
import type { EmbeddingDeclaration } from "../declare/declaration.ts";
import { vectorParameter } from "../embeddings/vector-parameter.ts";
import type { Model } from "../models/models.ts";
import { indexedVector } from "../models/vector-index.ts";
import { rowIdColumn, rowsSql } from "../source.ts";

const MAX_CHUNKS = 3_200;
const PASSAGE_LENGTH = 1_000;

type Query = { vector: Float32Array; model: Model; limit: number };

/** A row with its declared columns, and its passage nearest to the vector; `distance` is from 0 to 2. */
export type NearestRow = { id: string; columns: Record<string, unknown>; snippet: string; distance: number };

/**
 * The best chunk of each row among the nearest `chunks`, and how many there were. The model is a literal: with a
 * parameter, the planner could not tell that the partial index fits. Joined with the rows as they are now, so that
 * deleted and excluded rows are never shown.
 */
export function nearestRowsQuery(
  declaration: EmbeddingDeclaration,
  { vector, model, limit }: Query,
  chunks: number,
): SQL {
  const rowId = rowIdColumn(declaration);
  const given = sql`${vectorParameter(vector)}::vector`;
  const distance = sql`${indexedVector(model, sql`e.embedding`)} <=> ${indexedVector(model, given)}`;
  // If the text has changed since, this shows its beginning.
  return sql`
    with nearest as materialized (
      select e.${rowId} as id, e.text_hash, e.start, e.length, ${distance} as distance
      from ${tableSql(declaration.embeddings)} e where e.model_id = ${sql.raw(String(model.id))}
      order by ${distance} limit ${chunks}
    ), best as (select distinct on (id) * from nearest where distance is not null order by id, distance)
    select b.id::text as id, r.columns, b.distance, (select count(*)::int from nearest) as looked,
      case when b.text_hash = r.text_hash then substr(r.text, b.start + 1, b.length)
        else substr(r.text, 1, ${PASSAGE_LENGTH}) end as snippet
    from best b join ${rowsSql(declaration)} r on r.id = b.id and r.included
    order by b.distance, b.id limit ${limit}`;
}

/**
 * Makes the rest of a transaction read the nearest vectors from the index, if there is one, and as many as requested:
 * without iteration, it returns at most ef_search, and fewer if a filter drops some (pgvector 0.8). The planner ignores
 * the cost of fetching a vector stored out of line, and would rather sort all of them. It also counts a disabled plan
 * as so expensive that it would compile the query first, which takes 0.4 s.
 */
export async function searchByIndex(tx: Pick<Database, "execute">): Promise<void> {
  await tx.execute(sql`select set_config('enable_sort', 'off', true), set_config('jit', 'off', true),
    set_config('hnsw.ef_search', '100', true), set_config('hnsw.iterative_scan', 'strict_order', true)`);
}

/** The rows with the nearest chunks by a model, nearest first. */
export async function findNearestRows(
  db: Database,
  declaration: EmbeddingDeclaration,
  query: Query,
): Promise<NearestRow[]> {
  return db.transaction(async (tx) => {
    await searchByIndex(tx);
    // The nearest chunks may all belong to a few long rows: then read further.
    for (let chunks = query.limit * 4; ; chunks *= 4) {
      const { rows } = await tx.execute<NearestRow & { looked: number }>(
        nearestRowsQuery(declaration, query, chunks),
      );
      const all = (rows[0]?.looked ?? 0) < chunks;
      if (rows.length === query.limit || all || chunks >= MAX_CHUNKS)
        return rows.map(({ id, columns, snippet, distance }) => ({ id, columns, snippet, distance }));
    }
  });
}

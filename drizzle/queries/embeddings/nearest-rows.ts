import { type SQL, sql } from "drizzle-orm";
import type { Database } from "../../client.ts";
import type { EmbeddedTable } from "../../embedded-table.ts";
import { halfvec } from "../../halfvec.ts";
import type { EmbeddingModel } from "./models.ts";
import { indexedVector } from "./vector-index.ts";

const MAX_CHUNKS = 3_200;
const SNIPPET_LENGTH = 1_000;

type Query = { vector: Float32Array; model: EmbeddingModel; limit: number };

/** A row and the one of its chunks that is nearest to the vector; `distance` is the cosine distance, from 0 to 2. */
export type NearestRow = { id: string; snippet: string; distance: number };

/**
 * The best chunk of each row among the nearest `chunks`, and how many there were. The model is a literal: with a
 * parameter the planner could not tell that the partial index fits.
 */
export function nearestRowsQuery(of: EmbeddedTable, { vector, model, limit }: Query, chunks: number): SQL {
  const distance = sql`${indexedVector(model, sql`e.embedding`)} <=> ${indexedVector(model, sql`${halfvec(vector)}::halfvec`)}`;
  // Where the text has changed since, or where the chunk stands was not kept, the text's beginning is shown.
  return sql`
    with nearest as materialized (
      select e.${of.rowId} as id, e.text_hash, e.start, e.length, ${distance} as distance
      from ${of.embeddings} e where e.model_id = ${sql.raw(String(model.id))}
      order by ${distance} limit ${chunks}
    ), best as (select distinct on (id) * from nearest order by id, distance)
    select b.id::text as id, b.distance, (select count(*)::int from nearest) as looked,
      case when b.text_hash = r.text_hash and b.length > 0 then substr(${of.text}, b.start + 1, b.length)
        else substr(${of.text}, 1, ${SNIPPET_LENGTH}) end as snippet
    from best b join ${of.table} r on r.${of.id} = b.id
    order by b.distance, b.id limit ${limit}`;
}

/**
 * Has the rest of a transaction take the nearest vectors from the index, where there is one, and as many as are asked
 * for: without iteration it gives at most ef_search, fewer where a filter drops some (pgvector 0.8). The planner does
 * not count what it costs to fetch a vector from beside the table, and would rather sort all of them; and what is
 * switched off counts as so dear to it that it would compile the query first, for 0.4 s.
 */
export async function searchByIndex(tx: Pick<Database, "execute">): Promise<void> {
  await tx.execute(sql`select set_config('enable_sort', 'off', true), set_config('jit', 'off', true),
    set_config('hnsw.ef_search', '100', true), set_config('hnsw.iterative_scan', 'strict_order', true)`);
}

/** The rows with the nearest chunks by a model, nearest first. */
export async function findNearestRows(db: Database, of: EmbeddedTable, query: Query): Promise<NearestRow[]> {
  return db.transaction(async (tx) => {
    await searchByIndex(tx);
    // The nearest chunks may all be of a few long rows: then look further.
    for (let chunks = query.limit * 4; ; chunks *= 4) {
      const { rows } = await tx.execute<NearestRow & { looked: number }>(nearestRowsQuery(of, query, chunks));
      const all = (rows[0]?.looked ?? 0) < chunks;
      if (rows.length === query.limit || all || chunks >= MAX_CHUNKS)
        return rows.map(({ id, snippet, distance }) => ({ id, snippet, distance }));
    }
  });
}

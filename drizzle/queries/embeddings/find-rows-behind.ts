import { type SQL, sql } from "drizzle-orm";
import type { Database } from "../../client.ts";
import type { EmbeddedTable } from "../../embedded-table.ts";

type Range = { modelId: number; after?: string | undefined; limit: number };

const isBehind = sql`(case when s.text_hash is null then s.found > 0 else not s.complete end)`;

const isRefused = (of: EmbeddedTable, modelId: number) => sql`exists (
  select from embedding_failures f where f.source = ${of.name} and f.row_id = s.id::text and f.model_id = ${modelId}
  and f.text_hash = s.text_hash and f.next_try > now())`;

/** Rows and what there is of their vectors: two index-only scans in the order of the key, merged. */
export const standing = (of: EmbeddedTable, modelId: number, where: SQL = sql`true`) => sql`
  select r.${of.id} as id, r.text_hash, count(e.chunk) as found,
    coalesce(count(e.chunk) = max(e.chunks) and bool_and(e.text_hash = r.text_hash), false) as complete
  from ${of.table} r
  left join ${of.embeddings} e on e.${of.rowId} = r.${of.id} and e.model_id = ${modelId}
  where ${where}
  group by r.${of.id}`;

/**
 * The next rows, in the order of their keys, whose vectors by a model are not those of their text, without those that
 * the provider refused and whose time has not come.
 */
export async function findRowsBehind(db: Database, of: EmbeddedTable, range: Range): Promise<string[]> {
  const { modelId, after, limit } = range;
  const where = after === undefined ? sql`true` : sql`r.${of.id} > ${after}::${of.idType}`;
  const { rows } = await db.execute<{ id: string }>(sql`
    select s.id::text as id from (${standing(of, modelId, where)}) s
    where ${isBehind} and not ${isRefused(of, modelId)}
    order by s.id limit ${limit}`);
  return rows.map(({ id }) => id);
}

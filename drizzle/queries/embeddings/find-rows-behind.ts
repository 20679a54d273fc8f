import { type SQL, sql } from "drizzle-orm";
import type { Database } from "../../client.ts";
import type { EmbeddedTable } from "../../embedded-table.ts";

type Range = {
  /** Models in use: a row that is behind by several of them is found once. */
  modelIds: readonly number[];
  after?: string | undefined;
  limit: number;
};

/** True for a row of {@link standing} whose vectors are not those of its text. */
const isBehind = sql`(case when s.text_hash is null then s.found > 0 else not s.complete end)`;

/** The refusal of a row of {@link standing} whose time to be tried again has not come, at most one. */
const refusal = (of: EmbeddedTable, modelId: number) => sql`embedding_failures f on f.source = ${of.name}
  and f.row_id = s.id::text and f.model_id = ${modelId} and f.text_hash = s.text_hash and f.next_try > now()`;

/** Rows and what there is of their vectors: two index-only scans in the order of the key, merged. */
export function standing(of: EmbeddedTable, modelId: number, after?: string): SQL {
  // Said of both sides, as no planner concludes it: else each page would read all vectors before it again.
  const beyond = (id: SQL) => (after === undefined ? sql`true` : sql`${id} > ${after}::${of.idType}`);
  return sql`
    select r.${of.id} as id, r.text_hash, count(e.chunks) as found,
      coalesce(count(e.chunks) = max(e.chunks) and bool_and(e.text_hash = r.text_hash), false) as complete
    from ${of.table} r
    left join ${of.embeddings} e
      on e.${of.rowId} = r.${of.id} and e.model_id = ${modelId} and ${beyond(sql`e.${of.rowId}`)}
    where ${beyond(sql`r.${of.id}`)}
    group by r.${of.id}`;
}

/**
 * The next rows, in the order of their keys, whose vectors by any of the models are not those of their text, without
 * those that the provider refused and whose time has not come.
 */
export async function findRowsBehind(db: Database, of: EmbeddedTable, range: Range): Promise<string[]> {
  const { modelIds, after, limit } = range;
  const behind = modelIds.map(
    (id) =>
      sql`(select s.id from (${standing(of, id, after)}) s left join ${refusal(of, id)}
        where ${isBehind} and f.row_id is null order by s.id limit ${limit})`,
  );
  const { rows } = await db.execute<{ id: string }>(
    sql`select u.id::text as id from (${sql.join(behind, sql` union `)}) u order by u.id limit ${limit}`,
  );
  return rows.map(({ id }) => id);
}

/** How many rows of a table a model has still to embed, without those that were refused. Reads no text. */
export async function countRowsBehind(
  db: Database,
  of: EmbeddedTable,
  modelId: number,
): Promise<{ behind: number; all: number }> {
  const { rows } = await db.execute<{ behind: number; total: number }>(sql`
    select count(*) filter (where ${isBehind} and f.row_id is null)::int as behind,
      count(*) filter (where s.text_hash is not null or s.found > 0)::int as total
    from (${standing(of, modelId)}) s left join ${refusal(of, modelId)}`);
  return { behind: rows[0]?.behind ?? 0, all: rows[0]?.total ?? 0 };
}

import { sql } from "drizzle-orm";
import type { Database } from "../../client.ts";
import type { EmbeddedTable } from "../../embedded-table.ts";

export type Refusal = { id: string; textHash: string; error: string };

/**
 * Records that the provider refused the texts of some rows. The next try is 10 minutes after the first refusal and
 * twice as far after each other one of the same text, a week at most.
 */
export async function recordRefusals(
  db: Database,
  of: EmbeddedTable,
  modelId: number,
  refusals: readonly Refusal[],
): Promise<void> {
  const column = (of: (refusal: Refusal) => string) => sql.param(refusals.map(of));
  await db.execute(sql`
    insert into embedding_failures as f (source, row_id, model_id, text_hash, error, tries, next_try)
    select ${of.name}, g.id, ${modelId}, g.text_hash, g.error, 1, now() + interval '10 minutes'
    from unnest(${column(({ id }) => id)}::text[], ${column(({ textHash }) => textHash)}::uuid[],
      ${column(({ error }) => error)}::text[]) as g(id, text_hash, error)
    on conflict (source, row_id, model_id) do update set
      text_hash = excluded.text_hash, error = excluded.error, updated_at = now(),
      tries = case when f.text_hash = excluded.text_hash then f.tries + 1 else 1 end,
      next_try = now() + least(interval '7 days', interval '10 minutes'
        * power(2, case when f.text_hash = excluded.text_hash then least(f.tries, 12) else 0 end))`);
}

export type FailedRow = { id: string; error: string; tries: number; nextTry: Date };

// One look at the index for each refusal: `offset 0` keeps the planner from joining with the whole table instead.
const presentFailures = (of: EmbeddedTable, modelId: number) => sql`
  from embedding_failures f
  cross join lateral (select r.${of.id} as id from ${of.table} r
    where r.${of.id} = f.row_id::${of.idType} and r.text_hash = f.text_hash offset 0) p
  where f.source = ${of.name} and f.model_id = ${modelId}`;

/** The rows whose present text was refused, the last refused first. */
export async function findFailedRows(
  db: Database,
  of: EmbeddedTable,
  modelId: number,
  limit: number,
): Promise<FailedRow[]> {
  const { rows } = await db.execute<{ id: string; error: string; tries: number; next: string }>(sql`
    select f.row_id as id, f.error, f.tries, f.next_try as next ${presentFailures(of, modelId)}
    order by f.updated_at desc, f.row_id limit ${limit}`);
  return rows.map(({ id, error, tries, next }) => ({ id, error, tries, nextTry: new Date(next) }));
}

/** How many rows' present text was refused: `stale` ones have vectors of another text, `pending` ones have none. */
export async function countFailedRows(
  db: Database,
  of: EmbeddedTable,
  modelId: number,
): Promise<Record<"pending" | "stale", number>> {
  const { rows } = await db.execute<{ stale: number; total: number }>(sql`
    select count(*)::int as total, count(*) filter (where exists (select from ${of.embeddings} e
      where e.${of.rowId} = p.id and e.model_id = ${modelId}))::int as stale ${presentFailures(of, modelId)}`);
  const { stale = 0, total = 0 } = rows[0] ?? {};
  return { stale, pending: total - stale };
}

/** Makes every refused row due now. */
export async function retryFailedRows(db: Database, of: EmbeddedTable): Promise<void> {
  await db.execute(sql`update embedding_failures set next_try = now() where source = ${of.name}`);
}

/**
 * Forgets refusals of rows that are gone: no foreign key does, as rows of any table are kept here. A look at the key
 * for each, as above.
 */
export async function forgetFailuresOfGoneRows(db: Database, of: EmbeddedTable): Promise<void> {
  await db.execute(sql`delete from embedding_failures f where f.source = ${of.name}
    and (select true from ${of.table} r where r.${of.id} = f.row_id::${of.idType}) is null`);
}

import { escapeIdentifier, type Pool } from "pg";

/**
 * Forgets each sink's finished deliveries except the newest `keep`, and changes that no delivery refers to. Returns how
 * many changes it forgot.
 */
export async function pruneFinished(pool: Pool, schema: string, keep: number): Promise<number> {
  const s = escapeIdentifier(schema);
  const pruned = await pool.query(
    `with old as (
       delete from ${s}.delivery d
       using (
         select id, row_number() over (partition by sink_id order by updated_at desc, id desc) as age
         from ${s}.delivery where status <> 'pending'
       ) ranked
       where d.id = ranked.id and ranked.age > $1
       returning d.id, d.change_id
     )
     delete from ${s}.change c
     using old
     where c.id = old.change_id
       and not exists (
         select from ${s}.delivery d where d.change_id = c.id and d.id not in (select id from old)
       )`,
    [keep],
  );
  return pruned.rowCount ?? 0;
}

/** PGlite has no autovacuum; without this, the outbox grows with every change. */
export async function vacuum(pool: Pool, schema: string): Promise<void> {
  for (const table of ["change", "delivery"]) {
    await pool.query(`vacuum (analyze) ${escapeIdentifier(schema)}.${table}`);
  }
}

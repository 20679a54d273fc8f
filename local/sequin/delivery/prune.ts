import { escapeIdentifier, type Pool } from "pg";

/** Forgets each sink's finished deliveries beyond the newest `keep`, and changes that no delivery refers to. */
export async function pruneFinished(pool: Pool, schema: string, keep: number): Promise<void> {
  const s = escapeIdentifier(schema);
  await pool.query(
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
}

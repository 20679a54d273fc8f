import { escapeIdentifier, escapeLiteral, type Pool } from "pg";
import { z } from "zod";

/** How many changes may wait for an emulator that is not running, and for one that cannot keep up. */
export const MOST_ALONE = 50_000;
const MOST_WATCHED = 2_000_000;

/**
 * Decides whether the triggers, which outlive a killed emulator, stop storing changes, so that they do not fill a disk.
 * `taken` is the sequence's value when changes were last taken.
 */
export function outboxFunction(s: string, schema: string): string {
  return `
create or replace function ${s}.outbox_is_full() returns boolean
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select q.last_value - t.taken >= ${MOST_WATCHED} or not exists (
    select from pg_locks l
    where l.locktype = 'advisory' and l.objsubid = 1
      and l.database = (select d.oid from pg_database d where d.datname = current_database())
      and ((l.classid::bigint << 32) | l.objid::bigint) = hashtextextended(${escapeLiteral(schema)}, 0)
  )
  from ${s}.change_id_seq q, ${s}.state t
$$;`;
}

const waiting = z.array(z.object({ waiting: z.coerce.number().nullable() }));

/** Opens the outbox at a start. Returns whether it was full, which means that changes are lost. */
export async function openOutbox(pool: Pool, schema: string): Promise<boolean> {
  const s = escapeIdentifier(schema);
  const found = await pool.query(
    `with before as materialized (select taken from ${s}.state)
     update ${s}.state set taken = (select last_value from ${s}.change_id_seq)
     returning state.taken - (select taken from before) as waiting`,
  );
  return (waiting.parse(found.rows)[0]?.waiting ?? 0) >= MOST_ALONE;
}

import { escapeIdentifier, type Pool } from "pg";
import { z } from "zod";

/** One change for one sink. */
export type Route = { changeId: number; sinkId: string; group: string | null };

const inserted = z.array(
  z.object({ id: z.coerce.number(), change_id: z.coerce.number(), sink_id: z.string() }),
);

/**
 * Records, in one statement, which sink gets which change, and forgets the changes that no sink wants.
 * Delivery ids follow the order of `routes`, which is commit order.
 */
export async function recordRoutes(pool: Pool, schema: string, changeIds: number[], routes: Route[]) {
  const s = escapeIdentifier(schema);
  const found = await pool.query(
    `with unwanted as (
       delete from ${s}.change where id = any($1::bigint[]) and not id = any($2::bigint[])
     ), marked as (
       update ${s}.change set routed = true where id = any($2::bigint[]) and not routed returning id
     )
     insert into ${s}.delivery (change_id, sink_id, group_key)
     select r.change_id, r.sink_id, r.group_key
     from unnest($2::bigint[], $3::uuid[], $4::text[]) with ordinality as r(change_id, sink_id, group_key, place)
     join marked on marked.id = r.change_id
     order by r.place
     returning id, change_id, sink_id`,
    [changeIds, routes.map((r) => r.changeId), routes.map((r) => r.sinkId), routes.map((r) => r.group)],
  );
  return inserted.parse(found.rows);
}

import { escapeIdentifier, type Pool } from "pg";
import { z } from "zod";

const rows = z.array(
  z.object({
    id: z.coerce.number(),
    sink_id: z.string(),
    group: z.string().nullable(),
    read: z.boolean(),
    deliverCount: z.number(),
  }),
);

const COLUMNS = `d.id, d.sink_id, d.group_key as "group", c.action = 'read' as read, d.deliver_count as "deliverCount"`;

/** Every message that was not acknowledged in an earlier run, oldest first. */
export async function readPending(pool: Pool, schema: string): Promise<z.infer<typeof rows>> {
  const s = escapeIdentifier(schema);
  const found = await pool.query(
    `select ${COLUMNS}
     from ${s}.delivery d join ${s}.change c on c.id = d.change_id
     where d.status = 'pending' order by d.id`,
  );
  return rows.parse(found.rows);
}

/** Makes a finished message pending again; undefined if there is no such finished message. */
export async function reopen(pool: Pool, schema: string, id: number) {
  const s = escapeIdentifier(schema);
  const found = await pool.query(
    `update ${s}.delivery d set status = 'pending', deliver_count = 0, not_before = null, stuck = false
     from ${s}.change c where c.id = d.change_id and d.id = $1 and d.status <> 'pending'
     returning ${COLUMNS}`,
    [id],
  );
  return rows.parse(found.rows)[0];
}

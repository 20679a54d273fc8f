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

/** Every message that an earlier run has not got acknowledged, oldest first. */
export async function readPending(pool: Pool, schema: string): Promise<z.infer<typeof rows>> {
  const s = escapeIdentifier(schema);
  const found = await pool.query(
    `select d.id, d.sink_id, d.group_key as "group", c.action = 'read' as read, d.deliver_count as "deliverCount"
     from ${s}.delivery d join ${s}.change c on c.id = d.change_id
     where d.status = 'pending' order by d.id`,
  );
  return rows.parse(found.rows);
}

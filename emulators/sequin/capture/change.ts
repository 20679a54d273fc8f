import { escapeIdentifier, type Pool } from "pg";
import { z } from "zod";

/** Changes stored by an earlier version have no type modifier. */
const column = z
  .tuple([z.string(), z.number(), z.boolean(), z.boolean(), z.boolean(), z.number().default(-1)])
  .transform(([name, type, primaryKey, identity, generated, modifier]) => ({
    name,
    type,
    primaryKey,
    identity,
    generated,
    modifier,
  }));

const change = z.object({
  id: z.coerce.number(),
  table_schema: z.string(),
  table_name: z.string(),
  action: z.enum(["insert", "update", "delete", "truncate", "read"]),
  full_identity: z.boolean(),
  columns: z.array(column),
  old_row: z.string().nullable(),
  new_row: z.string().nullable(),
  held_out_of_line: z.array(z.string()).nullable(),
  backfill_id: z.string().nullable(),
  backfill_sink_id: z.string().nullable(),
  commit_lsn: z.string().nullable(),
  commit_idx: z.number().nullable(),
  committed_at: z.string(),
});

/** One row change as the trigger or a backfill stored it. `committed_at` is ISO 8601 with six digits. */
export type Change = z.infer<typeof change>;
export type Column = z.infer<typeof column>;

const CHANGE_COLUMNS = `c.id, c.table_schema, c.table_name, c.action, c.full_identity, c.columns, c.old_row,
  c.new_row, c.held_out_of_line, c.backfill_id, b.sink_id as backfill_sink_id, c.commit_lsn::text, c.commit_idx,
  to_char(c.committed_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as committed_at`;

/** The next changes that no sink has received yet, in commit order, backfilled rows last. */
export async function readUnrouted(pool: Pool, schema: string, limit: number): Promise<Change[]> {
  const s = escapeIdentifier(schema);
  const found = await pool.query(
    `select ${CHANGE_COLUMNS}
     from ${s}.change c left join ${s}.backfill b on b.id = c.backfill_id
     where not c.routed and c.committed_at is not null
     order by c.backfill_id is not null, c.commit_lsn, c.commit_idx, c.id
     limit $1`,
    [limit],
  );
  return z.array(change).parse(found.rows);
}

/** The changes of the given deliveries, by delivery id. */
export async function readByDelivery(
  pool: Pool,
  schema: string,
  ids: number[],
): Promise<Map<number, Change>> {
  const s = escapeIdentifier(schema);
  const found = await pool.query(
    `select d.id as delivery_id, ${CHANGE_COLUMNS}
     from ${s}.delivery d
     join ${s}.change c on c.id = d.change_id
     left join ${s}.backfill b on b.id = c.backfill_id
     where d.id = any($1::bigint[])`,
    [ids],
  );
  const parsed = z.array(change.extend({ delivery_id: z.coerce.number() })).parse(found.rows);
  return new Map(parsed.map((row) => [row.delivery_id, row]));
}

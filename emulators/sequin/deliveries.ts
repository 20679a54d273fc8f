import { escapeIdentifier, type Pool } from "pg";
import { z } from "zod";

const delivery = z.object({
  id: z.coerce.number(),
  sink: z.string(),
  action: z.enum(["insert", "update", "delete", "read"]),
  table: z.string(),
  /** The table and the values of the row's key or group columns; null if the sink has no groups. */
  group: z.string().nullable(),
  status: z.enum(["pending", "delivered", "discarded"]),
  deliverCount: z.number(),
  httpStatus: z.number().nullable(),
  answer: z.string().nullable(),
  tookMs: z.number().nullable(),
  /** Kept in flight until the next attempt, like messages on which Sequin's failure handler crashes. */
  stuck: z.boolean(),
  /** When a failed message may be tried again. */
  nextTryAt: z.date().nullable(),
  /** When the change was captured, or a backfill read the row. */
  capturedAt: z.date(),
  updatedAt: z.date(),
});

/** What the console shows of one message to one sink. */
export type Delivery = z.infer<typeof delivery>;

/** Which deliveries to list. What is left out is not restricted. */
export type DeliveryFilter = {
  sink?: string;
  status?: Delivery["status"];
  /** Only deliveries with a smaller id. */
  before?: number;
};

/** Newest first. */
export async function listDeliveries(
  pool: Pool,
  schema: string,
  { limit, id, sink, status, before }: { limit: number; id?: number } & DeliveryFilter,
): Promise<Delivery[]> {
  const s = escapeIdentifier(schema);
  const found = await pool.query(
    `select d.id, k.name as sink, c.action, c.table_schema || '.' || c.table_name as table,
       d.group_key as "group", d.status,
       d.deliver_count as "deliverCount", d.http_status as "httpStatus", d.answer, d.took_ms as "tookMs",
       d.stuck, d.not_before as "nextTryAt", d.updated_at as "updatedAt", c.at as "capturedAt"
     from (
       -- The few that are shown first, because a join would read every kept delivery.
       select * from ${s}.delivery
       where ($2::bigint is null or id = $2) and ($4::text is null or status = $4) and ($5::bigint is null or id < $5)
         and ($3::text is null or sink_id = (select id from ${s}.sink where name = $3))
       order by id desc limit $1
     ) d
     join ${s}.change c on c.id = d.change_id
     join ${s}.sink k on k.id = d.sink_id
     order by d.id desc`,
    [limit, id ?? null, sink ?? null, status ?? null, before ?? null],
  );
  return z.array(delivery).parse(found.rows);
}

const count = z.object({
  sink: z.string(),
  status: z.enum(["pending", "delivered", "discarded"]),
  count: z.coerce.number(),
});

/** How many deliveries of each sink have each status. Zero counts are left out. */
export async function countDeliveries(pool: Pool, schema: string): Promise<z.infer<typeof count>[]> {
  const s = escapeIdentifier(schema);
  const found = await pool.query(
    `select k.name as sink, d.status, count(*) from ${s}.delivery d join ${s}.sink k on k.id = d.sink_id
     group by k.name, d.status order by k.name, d.status`,
  );
  return z.array(count).parse(found.rows);
}

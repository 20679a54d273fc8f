import { escapeIdentifier, type Pool } from "pg";
import { z } from "zod";
import type { Table } from "../config/source.ts";

const open = z.array(
  z.object({ id: z.string(), sink_id: z.string(), table_schema: z.string(), table_name: z.string() }),
);

/** A backfill that has not read its whole table yet. */
export type Backfill = z.infer<typeof open>[number];

export type BackfillRequest = {
  sinkId: string;
  table: Table;
  sortColumn: string | null;
  startPosition: string | null;
};

export async function requestBackfill(pool: Pool, schema: string, request: BackfillRequest): Promise<void> {
  await pool.query(
    `insert into ${escapeIdentifier(schema)}.backfill (sink_id, table_schema, table_name, sort_column, start_position)
     values ($1, $2, $3, $4, $5)`,
    [request.sinkId, request.table.schema, request.table.name, request.sortColumn, request.startPosition],
  );
}

/** Requests a sink's initial backfills, in one statement, once in its life. */
export async function requestInitialBackfills(
  pool: Pool,
  schema: string,
  sinkId: string,
  requests: Omit<BackfillRequest, "sinkId">[],
): Promise<void> {
  const s = escapeIdentifier(schema);
  await pool.query(
    `with fresh as (
       update ${s}.sink set backfills_requested = true where id = $1 and not backfills_requested returning id
     )
     insert into ${s}.backfill (sink_id, table_schema, table_name, sort_column, start_position)
     select fresh.id, r.* from fresh, unnest($2::text[], $3::text[], $4::text[], $5::text[]) r`,
    [
      sinkId,
      requests.map(({ table }) => table.schema),
      requests.map(({ table }) => table.name),
      requests.map(({ sortColumn }) => sortColumn),
      requests.map(({ startPosition }) => startPosition),
    ],
  );
}

export async function openBackfills(pool: Pool, schema: string): Promise<Backfill[]> {
  const found = await pool.query(
    `select id, sink_id, table_schema, table_name from ${escapeIdentifier(schema)}.backfill
     where not done order by created_at, id`,
  );
  return open.parse(found.rows);
}

/**
 * Reads the next rows of a table into the outbox, in one statement, so that a change of such a row is either in the row
 * that was read or captured after it. Returns how many, or null while the table does not exist.
 */
export async function readPage(
  pool: Pool,
  schema: string,
  backfillId: string,
  size: number,
): Promise<number | null> {
  const found = await pool.query(`select ${escapeIdentifier(schema)}.read_page($1, $2) as read`, [
    backfillId,
    size,
  ]);
  return z.array(z.object({ read: z.coerce.number().nullable() })).parse(found.rows)[0]?.read ?? null;
}

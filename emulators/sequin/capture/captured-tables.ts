import type { Pool } from "pg";
import { z } from "zod";
import { triggerName } from "./schema.ts";

const rows = z.array(z.object({ table: z.string() }));

/** The tables whose changes are captured, as `schema.table`, sorted by name. */
export async function capturedTables(pool: Pool, schema: string): Promise<string[]> {
  const found = await pool.query(
    `select n.nspname || '.' || c.relname as table
     from pg_trigger t join pg_class c on c.oid = t.tgrelid join pg_namespace n on n.oid = c.relnamespace
     where t.tgname = $1 and not t.tgisinternal and t.tgparentid = 0 order by 1`,
    [triggerName(schema)],
  );
  return rows.parse(found.rows).map(({ table }) => table);
}

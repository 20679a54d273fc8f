import { sql } from "drizzle-orm";
import { z } from "zod";
import { connect, disconnect } from "../../../packages/aftercommit/src/db/client.ts";
import { startMigratedPostgres } from "../postgres.ts";

const date = z.coerce.date().nullable();
const system = z.object({
  done_at: z.string().optional(),
  verified_at: z.string().optional(),
  failed_at: z.string().optional(),
  error: z.string().optional(),
  times_found: z.int().optional(),
});
const rowSchema = z.strictObject({
  id: z.string(),
  source: z.string(),
  row_id: z.string(),
  position: z.string(),
  email: z.string().nullable(),
  requested_at: z.coerce.date(),
  accepted_xid: z.string(),
  required_systems: z.array(z.string()),
  systems: z.record(z.string(), system),
  confirmation_claimed_by: z.string().nullable(),
  confirmation_claimed_at: date,
  confirmation_refused_at: date,
  confirmation_sent_at: date,
  completed_at: date,
  outcome: z.string().nullable(),
  last_error: z.string().nullable(),
  next_at: date,
  run_id: z.string().nullable(),
  environment: z.string().nullable(),
  updated_at: z.coerce.date(),
});

/** A new Postgres with the sample tables and all of Aftercommit's. */
export async function startDatabase() {
  const postgres = await startMigratedPostgres();
  const db = connect(postgres.url);

  async function deletionsWhere(condition: ReturnType<typeof sql>) {
    const { rows } = await db.execute(
      sql`select * from aftercommit.deletions where ${condition} order by id`,
    );
    return rows.map((row) => rowSchema.parse(row));
  }

  return {
    db,
    url: postgres.url,
    /** The ledger's row of a deletion; fails if there is none. */
    async deletion(id: string) {
      const [row] = await deletionsWhere(sql`id = ${id}`);
      if (!row) throw new Error(`No deletion ${id} is in the ledger`);
      return row;
    },
    /** The only deletion of a row. */
    async deletionOf(rowId: string) {
      const [row, ...others] = await deletionsWhere(sql`row_id = ${rowId}`);
      if (!row || others.length > 0)
        throw new Error(`${others.length + (row ? 1 : 0)} deletions of ${rowId}`);
      return row;
    },
    deletionsOf: (rowId: string) => deletionsWhere(sql`row_id = ${rowId}`),
    async close() {
      await disconnect();
      await postgres.close();
    },
  };
}

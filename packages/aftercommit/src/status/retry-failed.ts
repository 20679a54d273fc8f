import { sql } from "drizzle-orm";
import type { Database } from "../db/client.ts";
import type { EmbeddingDeclaration } from "../declare/declaration.ts";
import { wake } from "../inbox/wake.ts";

// Rows per statement: a million must not reach its timeout.
const AT_A_TIME = 2_000;

/**
 * Makes all failed rows of a table due now, and wakes the drain. Rows in progress are left alone. If Trigger.dev does
 * not answer, the schedule wakes the drain when it is back. Rejects if the database does not answer.
 */
export async function retryFailed(db: Database, declaration: EmbeddingDeclaration): Promise<void> {
  for (let count = AT_A_TIME; count === AT_A_TIME; ) {
    const { rowCount } = await db.execute(sql`
      update aftercommit.pending p set next_attempt = clock_timestamp()
      from (
        select row_id from aftercommit.pending where source = ${declaration.row} and error is not null and lease is null
          and next_attempt > (select clock_timestamp()) limit ${AT_A_TIME} for update skip locked
      ) failed
      where p.source = ${declaration.row} and p.row_id = failed.row_id`);
    count = rowCount ?? 0;
  }
  await wake(db, declaration);
}

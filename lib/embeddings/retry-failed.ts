import { randomUUID } from "node:crypto";
import type { Database } from "../../drizzle/client.ts";
import { findFailedRows, retryFailedRows } from "../../drizzle/queries/embeddings/failures.ts";
import { database } from "../database.ts";
import { UnavailableError } from "../errors.ts";
import { triggerBulk } from "../runs/trigger-bulk.ts";
import { type EmbeddedSource, MOST_ROWS_A_RUN } from "./embedded-source.ts";
import { modelsInUse } from "./models-in-use.ts";

/**
 * Tries the rows that the provider refused again now, the last 1,000 of them; older ones are due with the next
 * reconciliation. Resolves with how many. Rejects with UnavailableError when the database or Trigger.dev does not answer.
 */
export async function retryFailed(
  source: EmbeddedSource,
  { db = database() }: { db?: Database } = {},
): Promise<number> {
  try {
    const { active } = await modelsInUse(db);
    await retryFailedRows(db, source.of);
    const failed = await findFailedRows(db, source.of, active.id, MOST_ROWS_A_RUN);
    const ids = failed.map(({ id }) => id);
    if (ids.length > 0) await triggerBulk(source, [ids], () => ["retry-failed", randomUUID()]);
    return ids.length;
  } catch (cause) {
    throw new UnavailableError("The failed posts could not be tried again now; do it again in a moment", {
      cause,
    });
  }
}

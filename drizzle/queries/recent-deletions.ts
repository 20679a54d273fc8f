import { desc } from "drizzle-orm";
import type { Database } from "../client.ts";
import { userDeletions } from "../schema.ts";

/** The last deletions, the newest first, without the address and its hash. */
export async function findRecentDeletions(db: Database, limit: number) {
  const { userId, requestedAt, systems, confirmationSentAt, completedAt, lastError, runId } = userDeletions;
  return db
    .select({ userId, requestedAt, systems, confirmationSentAt, completedAt, lastError, runId })
    .from(userDeletions)
    .orderBy(desc(requestedAt), desc(userId))
    .limit(limit);
}

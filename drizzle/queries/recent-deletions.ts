import { desc, getTableColumns } from "drizzle-orm";
import type { Database } from "../client.ts";
import { userDeletions } from "../schema.ts";

/** The last deletions, the newest first, without the address. */
export async function findRecentDeletions(db: Database, limit: number) {
  const { email: _, ...shown } = getTableColumns(userDeletions);
  return db
    .select(shown)
    .from(userDeletions)
    .orderBy(desc(shown.requestedAt), desc(shown.userId))
    .limit(limit);
}

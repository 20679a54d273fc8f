import { sql } from "drizzle-orm";
import type { Database } from "../../client.ts";
import { userDeletions } from "../../schema.ts";

/** How many deletions are incomplete, and for how many seconds the oldest of them has been. */
export async function readOpenDeletions(db: Database): Promise<{ open: number; oldest: number }> {
  const { rows } = await db.execute<{ open: number; oldest: number }>(sql`
    select count(*)::int as open,
      coalesce(extract(epoch from now() - min(${userDeletions.requestedAt})), 0)::float8 as oldest
    from ${userDeletions} where ${userDeletions.completedAt} is null`);
  return rows[0] ?? { open: 0, oldest: 0 };
}

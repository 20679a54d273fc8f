import { sql } from "drizzle-orm";
import type { Queries } from "../source.ts";

/** Adds one answered request to the present UTC day. */
export async function addUsage(
  db: Queries,
  { model, tokens }: { model: string; tokens: number },
): Promise<void> {
  // One statement, so that runs which end at the same time do not overwrite each other's count.
  await db.execute(sql`
    insert into aftercommit.usage as kept (day, model, calls, tokens) values ((now() at time zone 'utc')::date, ${model}, 1, ${tokens})
    on conflict (day, model) do update
    set calls = kept.calls + excluded.calls, tokens = kept.tokens + excluded.tokens`);
}

import { sql } from "drizzle-orm";
import type { Queries } from "../source.ts";

type Usage = { model: string; tokens: number; calls?: number };

const TODAY = sql`(now() at time zone 'utc')::date`;

/** Adds the cost of a request to the current UTC day. `tokens` is negative if less was used than reserved. */
export async function addUsage(db: Queries, { model, tokens, calls = 1 }: Usage): Promise<void> {
  // One statement, so that runs that end at the same time do not overwrite each other's count.
  await db.execute(sql`
    insert into aftercommit.usage as kept (day, model, calls, tokens) values (${TODAY}, ${model}, ${calls}, ${tokens})
    on conflict (day, model) do update
    set calls = kept.calls + excluded.calls, tokens = kept.tokens + excluded.tokens`);
}

/**
 * Reserves tokens of the current UTC day, unless all models together would exceed `most`. Resolves with whether it did.
 * It locks the row, so two simultaneous requests cannot both get a model's last tokens.
 */
export async function reserveUsage(
  db: Queries,
  { model, tokens, most }: { model: string; tokens: number; most: number },
): Promise<boolean> {
  const others = sql`(select coalesce(sum(o.tokens), 0) from aftercommit.usage o where o.day = ${TODAY} and o.model <> ${model})`;
  const { rowCount } = await db.execute(sql`
    insert into aftercommit.usage as kept (day, model, calls, tokens)
    select ${TODAY}, ${model}, 0, ${tokens} where ${others} + ${tokens} <= ${most}
    on conflict (day, model) do update set tokens = kept.tokens + excluded.tokens
      where kept.tokens + excluded.tokens + ${others} <= ${most}`);
  return rowCount === 1;
}

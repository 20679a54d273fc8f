import { sql } from "drizzle-orm";
import type { Queries } from "../source.ts";

type Usage = { model: string; tokens: number; calls?: number };

const TODAY = sql`(now() at time zone 'utc')::date`;

/** Adds what an answered request cost to the present UTC day. `tokens` is negative where less was used than reserved. */
export async function addUsage(db: Queries, { model, tokens, calls = 1 }: Usage): Promise<void> {
  // One statement, so that runs which end at the same time do not overwrite each other's count.
  await db.execute(sql`
    insert into aftercommit.usage as kept (day, model, calls, tokens) values (${TODAY}, ${model}, ${calls}, ${tokens})
    on conflict (day, model) do update
    set calls = kept.calls + excluded.calls, tokens = kept.tokens + excluded.tokens`);
}

/**
 * Reserves tokens of the present UTC day, unless all models together would have more than `most`. Resolves with whether
 * it did. The row is locked, so two that want the last tokens of a model at the same moment do not both get them.
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

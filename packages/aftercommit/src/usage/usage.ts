import { sql } from "drizzle-orm";
import type { Purpose } from "../declare/provider.ts";
import type { Queries } from "../source.ts";

type Usage = { model: string; purpose: Purpose; tokens: number; calls?: number };

const TODAY = sql`(now() at time zone 'utc')::date`;

/** How many of some tokens are a search's. */
const searchedOf = ({ purpose, tokens }: Usage) => (purpose === "query" ? tokens : 0);

/** Adds the cost of a request to the current UTC day. `tokens` is negative if less was used than reserved. */
export async function addUsage(db: Queries, usage: Usage): Promise<void> {
  const { model, tokens, calls = 1 } = usage;
  // One statement, so that runs that end at the same time do not overwrite each other's count.
  await db.execute(sql`
    insert into aftercommit.usage as kept (day, model, calls, tokens, searched)
    values (${TODAY}, ${model}, ${calls}, ${tokens}, ${searchedOf(usage)})
    on conflict (day, model) do update set calls = kept.calls + excluded.calls,
      tokens = kept.tokens + excluded.tokens, searched = kept.searched + excluded.searched`);
}

type Reservation = Usage & {
  /** The most tokens of all models in a day, and the most of them that searches use. */
  most: number;
  mostSearched: number;
};

/**
 * Reserves tokens of the current UTC day, unless all models together would exceed the most. Resolves with whether it
 * did. It locks the row, so two simultaneous requests cannot both get a model's last tokens.
 */
export async function reserveUsage(db: Queries, reservation: Reservation): Promise<boolean> {
  const { model, tokens, purpose, most, mostSearched } = reservation;
  const others = (column: "tokens" | "searched") =>
    sql`(select coalesce(sum(o.${sql.raw(column)}), 0) from aftercommit.usage o where o.day = ${TODAY} and o.model <> ${model})`;
  const fits = (kept: { tokens: string; searched: string }) => sql`
    ${sql.raw(kept.tokens)} + ${others("tokens")} + ${tokens} <= ${most} and
    (${purpose === "passage"} or ${sql.raw(kept.searched)} + ${others("searched")} + ${tokens} <= ${mostSearched})`;
  const { rowCount } = await db.execute(sql`
    insert into aftercommit.usage as kept (day, model, calls, tokens, searched)
    select ${TODAY}, ${model}, 0, ${tokens}, ${searchedOf(reservation)} where ${fits({ tokens: "0", searched: "0" })}
    on conflict (day, model) do update
      set tokens = kept.tokens + excluded.tokens, searched = kept.searched + excluded.searched
      where ${fits({ tokens: "kept.tokens", searched: "kept.searched" })}`);
  return rowCount === 1;
}

import { sql } from "drizzle-orm";
import type { Database } from "../../client.ts";
import { embeddingBudget } from "../../embedding-tables.ts";

/** What a provider allows in a minute. */
export type Limits = { tokensPerMinute: number; requestsPerMinute: number };

/** `urgent` takes what it needs also where the bucket is empty: the others then wait longer. */
export type Take = { model: string; tokens: number; urgent: boolean; limits: Limits };

/** The share that all that is not urgent leaves alone, so that an edit never meets an empty bucket. */
export const RESERVE = 0.05;

/**
 * Takes one request of so many tokens from the bucket that all processes share, in one statement. Resolves with 0, or
 * with the milliseconds after which it is worth asking again.
 */
export async function takeFromBudget(db: Database, { model, tokens, urgent, limits }: Take): Promise<number> {
  const { tokensPerMinute: most, requestsPerMinute: mostRequests } = limits;
  const reserve = sql`${urgent ? 0 : RESERVE}::float8`;
  const { rows } = await db.execute<{ taken: boolean; wait: number }>(sql`
    with filled as (
      select b.model, b.blocked_until,
        least(${most}::float8, b.tokens + greatest(0, extract(epoch from clock_timestamp() - b.updated_at)) * ${most}::float8 / 60) as tokens,
        least(${mostRequests}::float8, b.requests + greatest(0, extract(epoch from clock_timestamp() - b.updated_at)) * ${mostRequests}::float8 / 60) as requests
      from embedding_budget b where b.model = ${model} for update
    ), waits as (
      select f.*, greatest(
        0,
        extract(epoch from f.blocked_until - clock_timestamp()),
        case when ${urgent} then 0 else (least(${tokens}::float8, ${most}::float8 * (1 - ${reserve})) + ${most}::float8 * ${reserve} - f.tokens) * 60 / ${most}::float8 end,
        case when ${urgent} then 0 else (least(1, ${mostRequests}::float8 * (1 - ${reserve})) + ${mostRequests}::float8 * ${reserve} - f.requests) * 60 / ${mostRequests}::float8 end
      ) as seconds from filled f
    )
    update embedding_budget b set
      tokens = w.tokens - case when w.seconds > 0 then 0 else ${tokens}::float8 end,
      requests = w.requests - case when w.seconds > 0 then 0 else 1 end,
      updated_at = clock_timestamp()
    from waits w where b.model = w.model
    returning w.seconds <= 0 as taken, w.seconds::float8 * 1000 as wait`);
  const [row] = rows;
  if (row) return row.taken ? 0 : Math.max(1, Math.ceil(row.wait));
  await db
    .insert(embeddingBudget)
    .values({ model, tokens: most, requests: mostRequests })
    .onConflictDoNothing();
  return takeFromBudget(db, { model, tokens, urgent, limits });
}

/** What the provider said of its own bucket with an answer: ours holds no more than that. */
export async function correctBudget(
  db: Database,
  model: string,
  left: { tokens?: number | undefined; requests?: number | undefined; waitMs?: number | undefined },
): Promise<void> {
  const { tokens = null, requests = null, waitMs = null } = left;
  await db.execute(sql`update embedding_budget set
    tokens = least(tokens, ${tokens}::float8), requests = least(requests, ${requests}::float8),
    blocked_until = greatest(blocked_until, clock_timestamp() + ${waitMs}::float8 * interval '1 millisecond')
    where model = ${model}`);
}

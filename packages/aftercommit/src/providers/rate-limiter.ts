import { sql } from "drizzle-orm";
import type { Limits } from "../declare/provider.ts";
import type { Queries } from "../source.ts";

type Acquire = {
  /** What the limits belong to: the model's name, or `trigger.dev`. */
  name: string;
  tokens: number;
  requests?: number;
  inputs?: number;
  /** Acquires what it needs even from an empty bucket: the others then wait longer. */
  priority: boolean;
  limits: Limits;
};

// No limit: a bucket that never runs dry.
const UNLIMITED = 1e12;

/** The share that requests without priority leave alone, so that an edit never meets an empty bucket. */
export const HEADROOM = 0.05;

/**
 * Acquires the tokens of a request from the bucket that all processes share, in one statement. Resolves with 0, or with
 * the milliseconds after which to try again. However much priority requests take, a bucket never owes more than a
 * minute.
 */
export async function acquire(db: Queries, request: Acquire): Promise<number> {
  const { name, tokens, requests = 1, inputs = 1, priority, limits } = request;
  const most = sql`${limits.tokensPerMinute}::float8`;
  const mostRequests = sql`${limits.requestsPerMinute}::float8`;
  const mostInputs = sql`${limits.inputsPerMinute ?? UNLIMITED}::float8`;
  const headroom = sql`${HEADROOM}::float8`;
  const elapsed = sql`greatest(0, extract(epoch from clock_timestamp() - b.updated_at))`;
  const { rows } = await db.execute<{ acquired: boolean; wait: number }>(sql`
    with filled as (
      select b.name, b.blocked_until, least(${most}, b.tokens + ${elapsed} * ${most} / 60) as tokens,
        least(${mostRequests}, b.requests + ${elapsed} * ${mostRequests} / 60) as requests,
        least(${mostInputs}, b.inputs + ${elapsed} * ${mostInputs} / 60) as inputs
      from aftercommit.rate_limits b where b.name = ${name} for update
    ), waits as (
      select f.*, greatest(
        0,
        extract(epoch from f.blocked_until - clock_timestamp()),
        case when not ${priority} then
          (least(${tokens}::float8, ${most} * (1 - ${headroom})) + ${most} * ${headroom} - f.tokens) * 60 / ${most} end,
        case when not ${priority} then
          (least(${requests}::float8, ${mostRequests} * (1 - ${headroom})) + ${mostRequests} * ${headroom} - f.requests)
            * 60 / ${mostRequests} end,
        case when not ${priority} then
          (least(${inputs}::float8, ${mostInputs} * (1 - ${headroom})) + ${mostInputs} * ${headroom} - f.inputs)
            * 60 / ${mostInputs} end
      ) as seconds from filled f
    )
    update aftercommit.rate_limits b set
      tokens = greatest(-${most}, w.tokens - case when w.seconds > 0 then 0 else ${tokens}::float8 end),
      requests = greatest(-${mostRequests}, w.requests - case when w.seconds > 0 then 0 else ${requests}::float8 end),
      inputs = greatest(-${mostInputs}, w.inputs - case when w.seconds > 0 then 0 else ${inputs}::float8 end),
      updated_at = clock_timestamp()
    from waits w where b.name = w.name
    returning w.seconds <= 0 as acquired, w.seconds::float8 * 1000 as wait`);
  const [row] = rows;
  if (row) return row.acquired ? 0 : Math.max(1, Math.ceil(row.wait));
  await db.execute(sql`insert into aftercommit.rate_limits (name, tokens, requests, inputs)
    values (${name}, ${most}, ${mostRequests}, ${mostInputs}) on conflict do nothing`);
  return acquire(db, request);
}

type Told = {
  /** What is left of the provider's bucket, as it says: ours holds no more than that. */
  tokens?: number | undefined;
  requests?: number | undefined;
  /** How long every process must wait. */
  waitMs?: number | undefined;
  /** What was reserved for a request and not spent. */
  refund?: number | undefined;
};

/** Corrects the bucket to what the provider said in a response. */
export async function correct(db: Queries, name: string, told: Told): Promise<void> {
  const { tokens = null, requests = null, waitMs = null, refund = 0 } = told;
  await db.execute(sql`update aftercommit.rate_limits set
    tokens = least(tokens + ${refund}::float8, ${tokens}::float8), requests = least(requests, ${requests}::float8),
    blocked_until = greatest(blocked_until, clock_timestamp() + ${waitMs}::float8 * interval '1 millisecond')
    where name = ${name}`);
}

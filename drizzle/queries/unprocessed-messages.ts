import { desc, gt, max, min, sql, sum } from "drizzle-orm";
import type { Database } from "../client.ts";
import { unprocessedMessages } from "../schema.ts";

const KEPT_DAYS = 30;
// A day's reasons for a route: what comes after so many is counted together.
const MAX_REASONS = 50;

const today = sql`(now() at time zone 'utc')::date`;

/** `refused` are whole requests that came without the right secret. */
type Outcome = "ignored" | "refused" | "rejected";

/** Messages of one delivery that led to no run for one reason, and where one of them stood. */
export type Unprocessed = { outcome: Outcome; reason: string; messages: number; example: string };

/** Counts messages on the present UTC day, and forgets those of 30 days ago. */
export async function addUnprocessed(
  db: Database,
  route: string,
  given: readonly Unprocessed[],
): Promise<void> {
  // One statement, in one order: deliveries of the same moment neither overwrite each other's count nor deadlock.
  await db.execute(sql`
    with forgotten as (delete from unprocessed_messages where day < ${today} - ${KEPT_DAYS}::int),
    given as (
      select outcome, messages, example, case
        when exists (select from unprocessed_messages as known where known.day = ${today}
          and known.route = ${route} and known.outcome = new.outcome and known.reason = new.reason) then reason
        when (select count(*) from unprocessed_messages where day = ${today} and route = ${route})
          + row_number() over (order by outcome, reason) <= ${MAX_REASONS} then reason
        else 'other reasons' end as reason
      from jsonb_to_recordset(${JSON.stringify(given)}::jsonb)
        as new (outcome text, reason text, messages bigint, example text)
    )
    insert into unprocessed_messages as kept (day, route, outcome, reason, messages, example)
    select ${today}, ${route}, outcome, reason, sum(messages), min(example) from given
    group by outcome, reason order by outcome, reason
    on conflict (day, route, outcome, reason) do update
    set messages = kept.messages + excluded.messages, example = excluded.example, last_at = now()`);
}

export type UnprocessedOnPage = Unprocessed & { route: string; lastAt: Date };

/** What led to no run in the last days: the rejected, the refused, then what was ignored; of each the latest first. */
export async function findUnprocessed(
  db: Database,
  { days, limit }: { days: number; limit: number },
): Promise<UnprocessedOnPage[]> {
  const { day, route, outcome, reason, messages, example, lastAt } = unprocessedMessages;
  const last = max(lastAt);
  const rows = await db
    .select({
      route,
      outcome,
      reason,
      messages: sum(messages).mapWith(Number),
      example: min(example),
      lastAt: last,
    })
    .from(unprocessedMessages)
    .where(gt(day, sql`${today} - ${days}::int`))
    .groupBy(route, outcome, reason)
    .orderBy(desc(outcome), desc(last))
    .limit(limit);
  return rows.map((row) => ({ ...row, example: row.example ?? "", lastAt: row.lastAt ?? new Date(0) }));
}

import { type SQL, sql } from "drizzle-orm";
import { keyTypeSql, type Queries, type Source } from "./source.ts";

// However large a table is, each statement ends long before its connection's timeout.
const WINDOW = 20_000;

/** The keys after one key and up to another; without a limit on either side if it is left out. */
export type KeyWindow = { after?: string | undefined; upTo?: string | undefined };

/** The condition that a key is in a window. */
export const within = (key: SQL, source: Pick<Source, "keyType">, { after, upTo }: KeyWindow): SQL => sql`
  ${after === undefined ? sql`true` : sql`${key} > ${after}::${keyTypeSql(source)}`}
  and ${upTo === undefined ? sql`true` : sql`${key} <= ${upTo}::${keyTypeSql(source)}`}`;

/**
 * All keys of a table in windows of 20,000, in the order of an index on them. `from` is what to select them from, with
 * its condition: `public.posts where true`.
 */
export async function* keyWindows(
  db: Queries,
  source: Pick<Source, "keyType">,
  { key, from }: { key: SQL; from: SQL },
): AsyncGenerator<KeyWindow, void> {
  for (let after: string | undefined; ; ) {
    const { rows } = await db.execute<{ id: string }>(sql`
      select ${key}::text as id from ${from} and ${within(key, source, { after })}
      order by ${key} offset ${WINDOW - 1} limit 1`);
    const upTo = rows[0]?.id;
    yield { after, upTo };
    if (upTo === undefined) return;
    after = upTo;
  }
}

/**
 * A redundant condition for a key that is joined with one in the window, because the planner does not infer it. Not for
 * texts, which the two tables may sort differently.
 */
export const alsoWithin = (key: SQL, source: Pick<Source, "keyType">, window: KeyWindow): SQL =>
  source.keyType === "text" ? sql`true` : within(key, source, window);

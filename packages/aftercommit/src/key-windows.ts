import { type SQL, sql } from "drizzle-orm";
import { keyTypeSql, type Queries, type Source } from "./source.ts";

// However large a table is, each statement ends long before its connection's timeout.
export const WINDOW = 20_000;

/** The keys after one key and up to another; without a limit on either side if it is left out. */
export type KeyWindow = { after?: string | undefined; upTo?: string | undefined };

/** The condition that a key is in a window. */
export const within = (key: SQL, source: Pick<Source, "keyType">, { after, upTo }: KeyWindow): SQL => sql`
  ${after === undefined ? sql`true` : sql`${key} > ${after}::${keyTypeSql(source)}`}
  and ${upTo === undefined ? sql`true` : sql`${key} <= ${upTo}::${keyTypeSql(source)}`}`;

/** The keys of a table. `from` is what to select them from, with its condition: `public.posts where true`. */
export type Keys = { key: SQL; from: SQL };

/**
 * The keys of some tables in windows that have at most `size` of each, in the order of an index on them: all keys, or
 * those of a window.
 */
export async function* keyWindows(
  db: Queries,
  source: Pick<Source, "keyType">,
  tables: readonly Keys[],
  { size = WINDOW, after: first, upTo: last }: KeyWindow & { size?: number } = {},
): AsyncGenerator<KeyWindow, void> {
  for (let after = first; ; ) {
    const ends = tables.map(
      ({ key, from }) => sql`(select ${key} from ${from} and ${within(key, source, { after, upTo: last })}
        order by ${key} offset ${size - 1} limit 1)`,
    );
    const { rows } = await db.execute<{ end: string | null }>(
      sql`select least(${sql.join(ends, sql`, `)})::text as end`,
    );
    const upTo = rows[0]?.end ?? last;
    yield { after, upTo };
    if (upTo === last) return;
    after = upTo;
  }
}

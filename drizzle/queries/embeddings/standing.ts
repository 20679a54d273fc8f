import { type SQL, sql } from "drizzle-orm";
import type { Database } from "../../client.ts";
import type { EmbeddedTable } from "../../embedded-table.ts";

/** Rows whose keys come after one and not after another; without an end where one is left out. */
export type Window = { after?: string | undefined; upTo?: string | undefined };

const within = (key: SQL, { idType }: EmbeddedTable, { after, upTo }: Window) => sql`
  ${after === undefined ? sql`true` : sql`${key} > ${after}::${idType}`}
  and ${upTo === undefined ? sql`true` : sql`${key} <= ${upTo}::${idType}`}`;

// However large a table is, each statement ends long before the time-out of its connection.
const WINDOW = 50_000;

/** A whole table in windows of 50,000 rows, in the order of their keys. */
export async function* windowsOf(
  db: Pick<Database, "execute">,
  of: EmbeddedTable,
): AsyncGenerator<Window, void> {
  for (let after: string | undefined; ; ) {
    const { rows } = await db.execute<{ id: string }>(sql`
      select r.${of.id}::text as id from ${of.table} r where ${within(sql`r.${of.id}`, of, { after })}
      order by r.${of.id} offset ${WINDOW - 1} limit 1`);
    const upTo = rows[0]?.id;
    yield { after, upTo };
    if (upTo === undefined) return;
    after = upTo;
  }
}

/** Rows and what there is of their vectors: two index-only scans in the order of the key, merged. */
export function standing(of: EmbeddedTable, modelId: number, window: Window): SQL {
  // Said of both sides, as no planner concludes it: else each window would read the vectors of others again.
  return sql`
    select r.${of.id} as id, r.text_hash, count(e.chunks) as found,
      coalesce(count(e.chunks) = max(e.chunks) and bool_and(e.text_hash = r.text_hash), false) as complete
    from ${of.table} r
    left join ${of.embeddings} e
      on e.${of.rowId} = r.${of.id} and e.model_id = ${modelId} and ${within(sql`e.${of.rowId}`, of, window)}
    where ${within(sql`r.${of.id}`, of, window)}
    group by r.${of.id}`;
}

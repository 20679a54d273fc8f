import { type SQL, sql } from "drizzle-orm";
import type { EmbeddingDeclaration } from "../declare/declaration.ts";
import { type KeyType, keyTypeSql, rowsSql } from "../source.ts";
import { rowsOf, type SearchConnection } from "./connection.ts";
import type { Place } from "./nearest-rows.ts";

// If the text has changed since, this shows its beginning.
const BEGINNING = 1_000;

/** A row as it is now: its declared columns, a passage of its text, and the language of its words. */
export type ShownRow = { id: string; columns: Record<string, unknown>; passage: string; language: string };

/**
 * Reads rows with the passages found in them, by id. Rows that are deleted or excluded, or that no longer pass the
 * filter, are left out.
 */
export async function readPresentRows(
  db: SearchConnection,
  declaration: EmbeddingDeclaration,
  {
    keyType,
    filter,
    places,
  }: { keyType: KeyType; filter: SQL | undefined; places: readonly (Place & { id: string })[] },
): Promise<Map<string, ShownRow>> {
  const column = (of: (place: (typeof places)[number]) => string | number) => sql.param(places.map(of));
  const rows = await rowsOf<ShownRow>(
    db,
    sql`
      select r.id::text as id, r.columns, r.language, case when r.text_hash = p.text_hash then substr(r.text, p.start + 1, p.length)
        else substr(r.text, 1, ${BEGINNING}) end as passage
      from unnest(${column(({ id }) => id)}::text[], ${column(({ textHash }) => textHash)}::uuid[],
        ${column(({ start }) => start)}::int[], ${column(({ length }) => length)}::int[])
        as p (id, text_hash, start, length)
      join ${rowsSql(declaration, filter)} r on r.id = p.id::${keyTypeSql({ keyType })} and r.included`,
  );
  return new Map(rows.map((row) => [row.id, { ...row, passage: row.passage.trim() }]));
}

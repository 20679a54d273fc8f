import { type SQL, sql } from "drizzle-orm";
import { quotedColumn } from "../db/identifiers.ts";
import type { EmbeddingDeclaration } from "../declare/declaration.ts";
import { rowIdColumn } from "../source.ts";
import { wordsTableSql } from "../words/words-table.ts";
import type { WordQuery } from "./word-query.ts";

/** Joins a filter with what a query demands of the words of a row: its phrases, and none of what it excludes. */
export function withWordConditions(
  declaration: EmbeddingDeclaration,
  filter: SQL | undefined,
  { required, excluded }: WordQuery,
): SQL | undefined {
  const { table, key } = declaration;
  const id = sql.raw(`${quotedColumn(table.name)}.${quotedColumn(key)}`);
  const has = (query: string) =>
    sql`exists (select from ${wordsTableSql(declaration)} w where w.${rowIdColumn(declaration)} = ${id}
      and w.words @@ ${query}::tsquery)`;
  const conditions = [
    filter ?? [],
    required.map(has),
    excluded.map((query) => sql`not ${has(query)}`),
  ].flat();
  return conditions.length > 0 ? sql.join(conditions, sql` and `) : undefined;
}

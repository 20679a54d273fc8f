import type { SQL } from "drizzle-orm";
import { type TableName, tableSql } from "../db/identifiers.ts";
import type { EmbeddingDeclaration } from "../declare/declaration.ts";

/** The table with the words of a declared table's rows, in the schema aftercommit. */
export const wordsTable = ({ row }: Pick<EmbeddingDeclaration, "row">): TableName => ({
  schema: "aftercommit",
  name: `${row.replaceAll("-", "_")}_words`,
});

export const wordsTableSql = (declaration: Pick<EmbeddingDeclaration, "row">): SQL =>
  tableSql(wordsTable(declaration));

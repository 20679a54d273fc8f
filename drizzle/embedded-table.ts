import { getTableName, type SQL, sql } from "drizzle-orm";
import type { PgColumn, PgTable } from "drizzle-orm/pg-core";
import { postEmbeddings } from "./embedding-tables.ts";
import { posts } from "./schema.ts";

/**
 * A table whose rows are embedded: all that differs from one such table to another. Its column text_hash is kept by a
 * trigger; `text` is the SQL function that makes the embedded text of a row.
 */
export type EmbeddedTable = {
  /** The table's name, by which failures and counts are kept. */
  name: string;
  table: SQL;
  id: SQL;
  /** Postgres' name of the key's type, such as bigint or uuid. */
  idType: SQL;
  idTypeName: string;
  /** The text of a row under the alias `r`. */
  text: SQL;
  embeddings: SQL;
  embeddingsName: string;
  /** The column of the embeddings table that names the row. */
  rowId: SQL;
};

type Declaration = { source: PgTable; id: PgColumn; text: string; embeddings: PgTable; rowId: PgColumn };

/** @public to another table: docs/embed-another-table.md */
export function embeddedTable({ source, id, text, embeddings, rowId }: Declaration): EmbeddedTable {
  return {
    name: getTableName(source),
    table: sql`${source}`,
    id: sql`${sql.identifier(id.name)}`,
    idType: sql.raw(id.getSQLType()),
    idTypeName: id.getSQLType(),
    text: sql`${sql.identifier(text)}(r)`,
    embeddings: sql`${embeddings}`,
    embeddingsName: getTableName(embeddings),
    rowId: sql`${sql.identifier(rowId.name)}`,
  };
}

export const embeddedPosts = embeddedTable({
  source: posts,
  id: posts.id,
  text: "post_text",
  embeddings: postEmbeddings,
  rowId: postEmbeddings.postId,
});

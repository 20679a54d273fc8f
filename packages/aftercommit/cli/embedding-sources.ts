import type { Database } from "../src/db/client.ts";
import { directDatabase } from "../src/db/database.ts";
import { embeddingsOf } from "../src/declare/declarations.ts";
import { type EmbeddingSource, sourceOf } from "../src/source.ts";
import { loadDeclarations } from "./load-declarations.ts";

/** The embedded tables that a command is about: all, or the one named by its plural or its table name. */
export async function embeddingSources(
  table?: string,
): Promise<{ db: Database; sources: EmbeddingSource[] }> {
  const db = directDatabase();
  const declarations = embeddingsOf(await loadDeclarations());
  const wanted = declarations.filter(
    ({ row, rows, table: { schema, name } }) =>
      table === undefined || [row, rows, name, `${schema}.${name}`].includes(table),
  );
  if (wanted.length === 0)
    throw new Error(`--table takes one of ${declarations.map(({ rows }) => rows).join(", ")}`);
  return { db, sources: await Promise.all(wanted.map((declaration) => sourceOf(db, declaration))) };
}

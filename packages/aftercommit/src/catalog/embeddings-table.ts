import { quoted, quotedColumn } from "../db/identifiers.ts";
import type { DeclarationError } from "../declaration-error.ts";
import type { EmbeddingDeclaration } from "../declare/declaration.ts";
import { wordsTable } from "../words/words-table.ts";
import { problemOf, spelled } from "./problem.ts";
import { type Connection, collateSql } from "./read-table.ts";

// Postgres truncates longer names.
const MOST_BYTES = 63;

/** The column of an embeddings table that names the row, without quotes. */
export const rowIdName = ({ row }: Pick<EmbeddingDeclaration, "row">) => `${row.replaceAll("-", "_")}_id`;

/** This comment marks an embeddings table as ours, and says whose vectors it has. */
export const commentOf = ({ table }: EmbeddingDeclaration) => `Aftercommit: vectors of ${spelled(table)}`;

const OURS = /^Aftercommit: vectors of /;

type Found = { comment: string | null; keyColumn: string | null };

export async function inspectEmbeddings(
  client: Connection,
  { declaration, keyColumn }: { declaration: EmbeddingDeclaration; keyColumn: string | undefined },
): Promise<{ exists: boolean; problem: DeclarationError | undefined }> {
  const { embeddings, table } = declaration;
  const problem = (text: string) => problemOf(declaration)("embeddings", text);
  const column = rowIdName(declaration);
  const { rows } = await client.query<Found>(
    `select obj_description(c.oid, 'pg_class') as comment, (select format_type(a.atttypid, null) || ${collateSql} from pg_attribute a
       where a.attrelid = c.oid and a.attname = $3 and not a.attisdropped) as "keyColumn"
     from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = $1 and c.relname = $2`,
    [embeddings.schema, embeddings.name, column],
  );
  const name = spelled(embeddings);
  const choose = `choose another name: embeddings: "${embeddings.schema}.${embeddings.name}_aftercommit"`;
  const [found] = rows;
  if (!found) {
    const schemas = await client.query("select from pg_namespace where nspname = $1", [embeddings.schema]);
    if (schemas.rowCount === 0)
      return { exists: false, problem: problem(`there is no schema ${embeddings.schema}`) };
    const isTooLong = [embeddings.name, column, wordsTable(declaration).name].some(
      (text) => Buffer.byteLength(text) > MOST_BYTES,
    );
    return {
      exists: false,
      problem: isTooLong ? problem(`${name} is longer than ${MOST_BYTES} bytes; ${choose}`) : undefined,
    };
  }
  const wrong = (text: string) => ({ exists: true, problem: problem(text) });
  if (found.comment === null || !OURS.test(found.comment))
    return wrong(`the name ${name} is taken by a table that is not Aftercommit's; ${choose}`);
  if (found.comment !== commentOf(declaration))
    return wrong(
      `${name} has the vectors of ${found.comment.replace(OURS, "")}; ${choose}. If that table is now called ${spelled(table)}: comment on table ${quoted(embeddings)} is '${commentOf(declaration).replaceAll("'", "''")}'`,
    );
  if (found.keyColumn === null)
    return wrong(
      `${name} has no column ${column}, since its rows were called otherwise; ${choose}, or drop table ${quoted(embeddings)}`,
    );
  if (keyColumn !== undefined && found.keyColumn !== keyColumn)
    return wrong(
      `${name} has keys of type ${found.keyColumn}, and ${spelled(table)} of type ${keyColumn}: alter table ${quoted(embeddings)} alter column ${quotedColumn(column)} type ${keyColumn}; or drop it to embed all rows again`,
    );
  return { exists: true, problem: undefined };
}

/** The type and collation of the keys in a declaration's table of words; undefined if there is none of this version. */
export async function readWordsKey(
  client: Connection,
  declaration: EmbeddingDeclaration,
): Promise<string | undefined> {
  const { rows } = await client.query<{ type: string }>(
    `select format_type(a.atttypid, null) || ${collateSql} as type from pg_attribute a
     where a.attrelid = to_regclass($1) and a.attname = $2 and not a.attisdropped and exists (
       select from pg_attribute l where l.attrelid = a.attrelid and l.attname = 'language')`,
    [quoted(wordsTable(declaration)), rowIdName(declaration)],
  );
  return rows[0]?.type;
}

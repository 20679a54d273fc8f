import { type SQL, sql } from "drizzle-orm";
import { DeclarationError } from "../declaration-error.ts";

/** A table by its exact names, without quotes. */
export type TableName = { schema: string; name: string };

const QUALIFIED = /^(?:"((?:[^"]|"")+)"|([^".]+))\.(?:"((?:[^"]|"")+)"|([^"]+))$/;
const BARE = /^(?:"((?:[^"]|"")+)"|([^".]+))$/;

const unquoted = (quoted: string | undefined, bare: string | undefined) =>
  quoted?.replaceAll('""', '"') ?? bare ?? "";

/**
 * Reads `schema.table`, or `table` in the schema public. Only a schema that contains a dot needs quotes.
 * @throws {DeclarationError} if it is neither
 */
export function tableName(text: string, { place, option }: { place: string; option: string }): TableName {
  const [, quotedSchema, schema, quotedName, name] = QUALIFIED.exec(text) ?? [];
  if (schema !== undefined || quotedSchema !== undefined)
    return { schema: unquoted(quotedSchema, schema), name: unquoted(quotedName, name) };
  const [bare, quoted, plain] = BARE.exec(text) ?? [];
  if (bare === undefined) throw new DeclarationError(place, option, "must be schema.table");
  return { schema: "public", name: unquoted(quoted, plain) };
}

const quote = (name: string) => `"${name.replaceAll('"', '""')}"`;

/** The table as SQL text, quoted: `"public"."posts"`. */
export const quoted = ({ schema, name }: TableName) => `${quote(schema)}.${quote(name)}`;

/** The table as part of a query. */
export const tableSql = (table: TableName): SQL => sql.raw(quoted(table));

/** A column as SQL text, quoted. */
export const quotedColumn = quote;

/** A column as part of a query. */
export const columnSql = (name: string): SQL => sql.raw(quote(name));

import { quotedColumn, type TableName } from "../db/identifiers.ts";
import type { Declaration } from "../declare/declaration.ts";

/** The publication of a new sequin.yaml. */
export const PUBLICATION = "sequin_pub";

const SIMPLE = /^[a-z_][a-z0-9_]*$/;

// After a dot, even a reserved word needs no quotes.
function tableText({ schema, name }: TableName): string {
  return `${schema === "public" ? schema : quotedColumn(schema)}.${SIMPLE.test(name) ? name : quotedColumn(name)}`;
}

/** Tables as a list in SQL, without duplicates. */
export const tableList = (tables: readonly TableName[]) => [...new Set(tables.map(tableText))].join(", ");

/** The statement that creates the publication of all declared tables. */
export const publicationSql = (declarations: readonly Declaration[], name = PUBLICATION) =>
  `create publication ${name} for table ${tableList(declarations.map(({ table }) => table))}`;

/** The statement that adds declared tables to a publication. */
export const addToPublicationSql = (tables: readonly TableName[], name = PUBLICATION) =>
  `alter publication ${name} add table ${tableList(tables)}`;

const IDENTIFIER = '(?:"(?:[^"]|"")+"|[a-zA-Z_][\\w$]*)';
const NAMES = new RegExp(`(${IDENTIFIER})(?:\\s*\\.\\s*(${IDENTIFIER}))?`, "g");

/** A name as Postgres reads it: in lowercase unless quoted. */
const folded = (text: string) =>
  text.startsWith('"') ? text.slice(1, -1).replaceAll('""', '"') : text.toLowerCase();

function isIn(list: string, { schema, name }: TableName): boolean {
  return [...list.matchAll(NAMES)].some(([, first = "", second]) =>
    second === undefined
      ? schema === "public" && folded(first) === name
      : folded(first) === schema && folded(second) === name,
  );
}

const LIST = /^(\s*create\s+publication\s+\S+\s+for\s+table\s+)(.*?)((?:\s+with\s*\([^)]*\))?\s*;?\s*)$/is;

/**
 * A statement that creates a publication, with the declared tables that it lacks added. Existing tables and options
 * stay. Undefined if none is missing.
 */
export function completePublication(
  sql: string | undefined,
  name: string,
  declarations: readonly Declaration[],
): { sql: string; added: TableName[] } | undefined {
  if (sql !== undefined && /\bfor\s+all\s+tables\b/i.test(sql)) return undefined;
  const [, before, list, after] = (sql !== undefined && LIST.exec(sql)) || [];
  const tables = declarations.map(({ table }) => table);
  if (list === undefined) return { sql: publicationSql(declarations, name), added: tables };
  const added = tables.filter((table) => !isIn(list, table));
  return added.length === 0 ? undefined : { sql: `${before}${list}, ${tableList(added)}${after}`, added };
}

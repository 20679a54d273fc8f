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

// Without it, a partition's changes come under the partition's name.
const VIA_ROOT = "publish_via_partition_root = true";

/** The statement that creates the publication of all declared tables. */
export const publicationSql = (declarations: readonly Declaration[], name = PUBLICATION) =>
  `create publication ${name} for table ${tableList(declarations.map(({ table }) => table))} with (${VIA_ROOT})`;

/** The statement that publishes partitioned tables under their own names. */
export const publishViaRootSql = (name: string) => `alter publication ${name} set (${VIA_ROOT})`;

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

const SCHEMAS = /^tables\s+in\s+schema\s/i;

/** `objects` are lists of tables and of schemas, each after its keyword: `table a, b, tables in schema app`. */
function isPublished(objects: string, table: TableName): boolean {
  return objects.split(/\b(?=tables?\s)/i).some((list) => {
    if (!SCHEMAS.test(list)) return isIn(list.replace(/^table\s/i, ""), table);
    return [...list.replace(SCHEMAS, "").matchAll(NAMES)].some(([name]) => folded(name) === table.schema);
  });
}

const CREATE =
  /^(\s*create\s+publication\s+(?:"[^"]+"|\S+)\s+for\s+)(table[^;]*?)((?:\s+with\s*\([^)]*\))?\s*;?\s*)$/is;
const COMMENT = /--[^\n]*|\/\*.*?\*\//gs;

/**
 * A statement that creates a publication, with the declared tables that it lacks added. Existing tables and options
 * stay. Undefined if none is missing.
 * @throws if some may be missing and it is not a list of tables and schemas without comments
 */
export function completePublication(
  sql: string | undefined,
  name: string,
  declarations: readonly Declaration[],
): { sql: string; added: TableName[] } | undefined {
  const tables = declarations.map(({ table }) => table);
  if (sql === undefined) return { sql: publicationSql(declarations, name), added: tables };
  const bare = sql.replace(COMMENT, " ");
  if (/\bfor\s+all\s+tables\b/i.test(bare)) return undefined;
  const [, before = "", objects, after = ""] = CREATE.exec(bare) ?? [];
  const added = tables.filter((table) => objects === undefined || !isPublished(objects, table));
  if (added.length === 0) return undefined;
  if (objects === undefined || bare !== sql)
    throw new Error(`sequin.yaml: add these tables to the publication in init_sql: ${tableList(added)}`);
  // After a list of schemas, a name without the keyword is one of them.
  const keyword = /\btables\s+in\s/i.test(objects) ? "table " : "";
  return { sql: `${before}${objects}, ${keyword}${tableList(added)}${after}`, added };
}

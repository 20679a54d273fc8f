import type { Client } from "pg";
import type { TableName } from "../db/identifiers.ts";

export type Connection = Pick<Client, "query">;

/** A relation in the catalog, as the current role sees it. `kind` and `persistence` are pg_class's letters. */
export type Relation = {
  oid: number;
  kind: string;
  persistence: string;
  isReadable: boolean;
  hidesRows: boolean;
};

export async function readRelation(
  client: Connection,
  { schema, name }: TableName,
): Promise<Relation | undefined> {
  const { rows } = await client.query<Relation>(
    `select c.oid, c.relkind as kind, c.relpersistence as persistence, row_security_active(c.oid) as "hidesRows",
       has_schema_privilege(n.oid, 'usage') and has_table_privilege(c.oid, 'select') as "isReadable"
     from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = $1 and c.relname = $2`,
    [schema, name],
  );
  return rows[0];
}

/** Tables whose names differ from this one only in case, underscores or schema. */
export async function readSimilar(client: Connection, { name }: TableName): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `select n.nspname || '.' || c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where c.relkind in ('r', 'p') and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
       and replace(lower(c.relname), '_', '') = replace(lower($1), '_', '') order by 1 limit 5`,
    [name],
  );
  return rows.map((row) => row.name);
}

/** `type` is the name of the column's type; for a domain, of its base type. `collate` is empty for the default one. */
export type Column = {
  name: string;
  type: string;
  collate: string;
  isNullable: boolean;
  isGenerated: boolean;
};

/** The clause that gives a column the collation of the column `a` of pg_attribute. */
export const collateSql = `coalesce((select format(' collate %I.%I', n.nspname, l.collname) from pg_collation l
  join pg_namespace n on n.oid = l.collnamespace where l.oid = a.attcollation and l.collname <> 'default'), '')`;

export async function readColumns(client: Connection, oid: number): Promise<Column[]> {
  const { rows } = await client.query<Column>(
    `select a.attname as name, format_type(coalesce(nullif(t.typbasetype, 0), t.oid), null) as type, ${collateSql} as collate,
       not (a.attnotnull or t.typnotnull) as "isNullable", a.attgenerated <> '' as "isGenerated"
     from pg_attribute a join pg_type t on t.oid = a.atttypid
     where a.attrelid = $1 and a.attnum > 0 and not a.attisdropped order by a.attnum`,
    [oid],
  );
  return rows;
}

/** Whether a unique index has exactly this column, and whether any index can find a row by it. */
export async function readKeyIndexes(
  client: Connection,
  { oid, column }: { oid: number; column: string },
): Promise<{ isUnique: boolean; isIndexed: boolean }> {
  const { rows } = await client.query<{ isUnique: boolean; isIndexed: boolean }>(
    `select coalesce(bool_or(i.indisunique and i.indnkeyatts = 1), false) as "isUnique",
       count(*) > 0 as "isIndexed"
     from pg_index i join pg_class c on c.oid = i.indexrelid join pg_am m on m.oid = c.relam
     join pg_attribute a on a.attrelid = i.indrelid and a.attnum = i.indkey[0]
     where i.indrelid = $1 and a.attname = $2 and i.indisvalid and i.indpred is null and m.amname = 'btree'`,
    [oid, column],
  );
  return rows[0] ?? { isUnique: false, isIndexed: false };
}

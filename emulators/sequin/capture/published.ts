import type { Pool } from "pg";
import { z } from "zod";
import type { Publication } from "../config/publication.ts";
import type { Table } from "../config/source.ts";

const rows = z.array(z.object({ schema: z.string().nullable(), name: z.string().nullable() }));

/**
 * The published tables: those of the database's publication of this name, if there is one, because Sequin then ignores
 * `init_sql`; otherwise those of the file. A partition publishes its parent.
 */
export async function readPublished(
  pool: Pool,
  publication: Publication | null,
): Promise<(table: Table) => boolean> {
  if (publication === null) return () => true;
  const found = await pool.query(
    `select n.nspname as schema, c.relname as name
     from pg_publication p
     left join pg_publication_tables t on t.pubname = p.pubname
     left join pg_class l on l.relname = t.tablename and l.relnamespace = to_regnamespace(quote_ident(t.schemaname))
     left join pg_class c on c.oid = coalesce(pg_partition_root(l.oid), l.oid)
     left join pg_namespace n on n.oid = c.relnamespace
     where p.pubname = $1`,
    [publication.name],
  );
  const published = rows.parse(found.rows);
  if (published.length === 0) return (table) => inFile(publication, table);
  return ({ schema, name }) => published.some((one) => one.schema === schema && one.name === name);
}

function inFile({ tables, schemas }: Publication, table: Table): boolean {
  return (
    tables === undefined ||
    schemas.includes(table.schema) ||
    tables.some(({ schema, name }) => schema === table.schema && name === table.name)
  );
}

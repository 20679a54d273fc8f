import type { Client } from "pg";

const OF_CLASS = {
  pg_attribute: "attrelid",
  pg_attrdef: "adrelid",
  pg_constraint: "conrelid",
  pg_index: "indrelid",
  pg_trigger: "tgrelid",
  pg_policy: "polrelid",
  pg_inherits: "inhrelid",
  pg_description: "objoid",
};

// Without the counters of VACUUM and ANALYZE.
const CLASS = `oid, relname, relnamespace, reltype, relowner, relam, relfilenode, relhasindex, relpersistence, relkind,
  relnatts, relchecks, relhasrules, relhastriggers, relrowsecurity, relforcerowsecurity, relreplident, relispartition,
  relacl, reloptions, relpartbound`;

/**
 * Every row in the catalog about the tables and functions of a database's owner, each with the transaction that wrote
 * it, so every change of one shows. `ours` are the tables of vectors, as SQL.
 */
export async function readCatalog(client: Client, ours: readonly string[]): Promise<unknown> {
  const rowsOf = async (query: string) => (await client.query(query, [ours])).rows.map(({ row }) => row);
  const theirs = `select c.oid from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname !~ '^pg_' and n.nspname not in ('aftercommit', 'sequin_local', 'information_schema')
      and not c.oid = any ($1::regclass[])
      and not exists (select from pg_index i where i.indexrelid = c.oid and i.indrelid = any ($1::regclass[]))`;
  const facts: Record<string, unknown[]> = {
    pg_class: await rowsOf(`select to_jsonb(c) as row from (select xmin, ${CLASS} from pg_class) c
      where oid in (${theirs}) order by oid`),
    pg_proc: await rowsOf(`select to_jsonb(p) as row from (select xmin, * from pg_proc) p
      where pronamespace not in (select oid from pg_namespace where nspname ~ '^pg_'
          or nspname in ('aftercommit', 'sequin_local', 'information_schema'))
        and not exists (select from pg_depend where objid = p.oid and deptype = 'e')
        and cardinality($1::regclass[]) >= 0 order by oid`),
  };
  for (const [table, column] of Object.entries(OF_CLASS))
    facts[table] = await rowsOf(`select to_jsonb(f) as row from (select xmin, * from ${table}) f
      where ${column} in (${theirs}) order by to_jsonb(f)::text`);
  return facts;
}

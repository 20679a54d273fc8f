import type { Client } from "pg";

const OURS =
  "select oid from pg_namespace where nspname in ('aftercommit', 'pg_catalog', 'information_schema', 'pg_toast')";

/** Every row in the catalog about other people's tables: a change of one of them would change it. */
export async function readUsersCatalog(client: Client): Promise<unknown> {
  const theirs = `select oid from pg_class where relnamespace not in (${OURS}) and relname not like '%\\_embeddings%'`;
  // The indexes of an embeddings table are named after it.
  const facts: Record<string, unknown[]> = {};
  for (const [table, column] of [
    // The counters of VACUUM and ANALYZE may change by themselves.
    [
      "(select xmin, oid, relname, relnamespace, reltype, relowner, relam, relfilenode, relhasindex, relisshared, relpersistence, relkind, relnatts, relchecks, relhasrules, relhastriggers, relhassubclass, relrowsecurity, relreplident, relispartition, relacl, reloptions from pg_class)",
      "oid",
    ],
    ["(select xmin, * from pg_attribute)", "attrelid"],
    ["(select xmin, * from pg_trigger)", "tgrelid"],
    ["(select xmin, * from pg_constraint)", "conrelid"],
    ["(select xmin, * from pg_index)", "indrelid"],
    ["(select xmin, * from pg_policy)", "polrelid"],
    ["(select xmin, * from pg_description)", "objoid"],
  ] as const) {
    const { rows } = await client.query(
      `select row_to_json(c)::jsonb as row from ${table} c where ${column} in (${theirs}) order by 1`,
    );
    facts[table] = rows;
  }
  return facts;
}

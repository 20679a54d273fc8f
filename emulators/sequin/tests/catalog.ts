import type { Database } from "./database.ts";

const USER = "nspname !~ '^pg_' and nspname <> 'information_schema'";

/** What a schema dump would show, and the number of dependencies: the same text for the same database. */
const QUERIES = [
  `select nspname, nspacl::text from pg_namespace where ${USER}`,
  `select n.nspname, c.relname, c.relkind, c.relreplident, c.relacl::text, c.reloptions::text
   from pg_class c join pg_namespace n on n.oid = c.relnamespace where ${USER}`,
  `select n.nspname, c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attgenerated, a.attidentity
   from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
   where ${USER} and a.attnum > 0`,
  "select tgrelid::regclass::text, pg_get_triggerdef(oid), tgenabled from pg_trigger",
  `select pg_get_functiondef(p.oid), p.proacl::text from pg_proc p join pg_namespace n on n.oid = p.pronamespace
   where ${USER} and p.prokind = 'f'`,
  "select conrelid::regclass::text, conname, pg_get_constraintdef(oid) from pg_constraint where conrelid <> 0",
  `select pg_get_indexdef(i.indexrelid) from pg_index i join pg_class c on c.oid = i.indexrelid
   join pg_namespace n on n.oid = c.relnamespace where ${USER}`,
  "select pubname, puballtables from pg_publication",
  "select pubname, schemaname, tablename from pg_publication_tables",
  "select extname, extversion from pg_extension",
  `select n.nspname, t.typname from pg_type t join pg_namespace n on n.oid = t.typnamespace where ${USER}`,
  "select count(*)::int from pg_depend",
  "select count(*)::int from pg_shdepend where dbid = (select oid from pg_database where datname = current_database())",
  "select setrole::text, setconfig::text from pg_db_role_setting",
];

/** Everything that is declared in the database, except one schema. */
export async function catalogOf(database: Database): Promise<string[][]> {
  const all: string[][] = [];
  for (const query of QUERIES) {
    all.push((await database.sql(query)).map((row) => JSON.stringify(row)).sort());
  }
  return all;
}

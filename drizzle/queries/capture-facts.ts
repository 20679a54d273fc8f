import { sql } from "drizzle-orm";
import type { Database } from "../client.ts";

/** Ages are in transactions: the larger, the longer ago. */
export type Publication = { age: number; actions: string[]; tables: string[] };

export async function readPublication(db: Database, name: string): Promise<Publication | undefined> {
  const { rows } = await db.execute<Publication>(sql`
    select age(p.xmin) as age,
      array_remove(array[case when p.pubinsert then 'insert' end, case when p.pubupdate then 'update' end,
        case when p.pubdelete then 'delete' end], null) as actions,
      array(select t.schemaname || '.' || t.tablename from pg_publication_tables t
        where t.pubname = p.pubname order by 1) as tables
    from pg_publication p where p.pubname = ${name}`);
  return rows[0];
}

/** `lag` is what the reader has not confirmed, in bytes of the log; `age` is how far back it still looks. */
export type Slot = {
  active: boolean;
  plugin: string | null;
  isHere: boolean;
  walStatus: string | null;
  lag: number | null;
  age: number | null;
};

export async function readSlot(db: Database, name: string): Promise<Slot | undefined> {
  const { rows } = await db.execute<Slot>(sql`
    select s.active, s.plugin, s.database = current_database() as "isHere", s.wal_status as "walStatus",
      pg_wal_lsn_diff(pg_current_wal_lsn(), s.confirmed_flush_lsn)::float8 as lag, age(s.catalog_xmin) as age
    from pg_replication_slots s where s.slot_name = ${name}`);
  return rows[0];
}

/** `walKept` is the most of the log that a slot may hold, in MB; -1 is no limit. */
export async function readWalSettings(db: Database): Promise<{ walLevel: string; walKept: number }> {
  const { rows } = await db.execute<{ walLevel: string; walKept: number }>(sql`
    select current_setting('wal_level') as "walLevel",
      (select setting::float8 from pg_settings where name = 'max_slot_wal_keep_size') as "walKept"`);
  return rows[0] ?? { walLevel: "unknown", walKept: -1 };
}

/** Of the given tables (`schema.name`) those that are there, and whether the log has the whole old row of a change. */
export async function readIdentities(
  db: Database,
  tables: readonly string[],
): Promise<{ table: string; isFull: boolean }[]> {
  const { rows } = await db.execute<{ table: string; isFull: boolean }>(sql`
    select named as table, c.relreplident = 'f' as "isFull"
    from unnest(${sql.param(tables)}::text[]) named join pg_class c on c.oid = to_regclass(named)`);
  return rows;
}

/**
 * Who captures changes by triggers, in the words of its schema's comment, and of which tables: a stand-in for Sequin
 * says there what it is.
 */
export async function readTriggerCapture(
  db: Database,
  tables: readonly string[],
): Promise<{ says: string; tables: string[] } | undefined> {
  const { rows } = await db.execute<{ says: string; tables: string[] }>(sql`
    select obj_description(f.pronamespace, 'pg_namespace') as says, array_agg(distinct named) as tables
    from unnest(${sql.param(tables)}::text[]) named
    join pg_trigger t on t.tgrelid = to_regclass(named) and not t.tgisinternal and t.tgenabled <> 'D'
    join pg_proc f on f.oid = t.tgfoid
    where obj_description(f.pronamespace, 'pg_namespace') like '%stand-in for Sequin%'
    group by 1`);
  return rows[0];
}

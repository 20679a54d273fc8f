import { readFile } from "node:fs/promises";
import { sql } from "drizzle-orm";
import { parseDocument } from "yaml";
import * as z from "zod";
import { PUBLICATION, readSlot, slotName } from "../capture/slot.ts";
import type { Database } from "../db/client.ts";
import { quoted } from "../db/identifiers.ts";
import type { Declaration } from "../declare/declaration.ts";
import { fromSequin } from "../declare/declarations.ts";
import { databaseIn } from "../sequin-config/document.ts";
import { CheckError } from "./finding.ts";

const named = z.object({ name: z.string() });
const database = z.object({ slot: named, publication: named });

type Names = { reader: "Sequin" | "npx aftercommit capture"; slot: string; publication: string };

/** Ages are in transactions, larger for older; a slot's age is how far back it still reads. Sizes are in bytes. */
export type Facts = {
  /** Those of `npx aftercommit capture` if its slot exists, otherwise those in sequin.yaml. */
  names: Names;
  /** Those whose changes the reader delivers: capture delivers those of all declared tables. */
  declarations: readonly Declaration[];
  walLevel: string;
  /** Null before PostgreSQL 19. */
  effectiveWalLevel: string | null;
  hasLimit: boolean;
  /**
   * What captures all declared tables with triggers instead, according to the comment on its schema: the Sequin
   * emulator.
   */
  emulator: string | null;
  /** `split` are declared tables whose changes come under the names of their partitions. */
  publication: { age: number; actions: string[]; tables: string[]; split: string[] } | null;
  slot: {
    active: boolean;
    plugin: string;
    isHere: boolean;
    state: string;
    retained: number;
    age: number;
  } | null;
};

async function readNames(db: Database, declarations: readonly Declaration[]): Promise<Names> {
  const own = await slotName(db);
  if (fromSequin(declarations).length === 0 || (await readSlot(db, own)))
    return { reader: "npx aftercommit capture", slot: own, publication: PUBLICATION };
  const doc = parseDocument(await readFile("sequin.yaml", "utf8"));
  const [error] = doc.errors;
  if (error) throw new CheckError(`sequin.yaml: ${error.message}`);
  const { data } = database.safeParse(databaseIn(doc)?.toJSON());
  if (!data) throw new CheckError("sequin.yaml names no slot or no publication", "npx aftercommit sequin");
  return { reader: "Sequin", slot: data.slot.name, publication: data.publication.name };
}

export async function readFacts(db: Database, all: readonly Declaration[]): Promise<Facts> {
  const names = await readNames(db, all);
  const declarations = names.reader === "Sequin" ? fromSequin(all) : all;
  const tables = declarations.map(({ table }) => quoted(table));
  const { rows } = await db.execute<Omit<Facts, "names" | "declarations">>(sql`
    select current_setting('wal_level') as "walLevel",
      current_setting('effective_wal_level', true) as "effectiveWalLevel",
      (select setting <> '-1' from pg_settings where name = 'max_slot_wal_keep_size') as "hasLimit",
      (select obj_description(f.pronamespace, 'pg_namespace') from unnest(${sql.param(tables)}::text[]) named
        join pg_trigger t on t.tgrelid = to_regclass(named) and not t.tgisinternal and t.tgenabled <> 'D'
        join pg_proc f on f.oid = t.tgfoid
        where obj_description(f.pronamespace, 'pg_namespace') ~ 'emulator of Sequin'
        group by 1 having count(distinct named) = ${new Set(tables).size}) as emulator,
      (select jsonb_build_object('age', age(p.xmin), 'actions', array_remove(array[case when pubinsert then 'insert' end,
          case when pubupdate then 'update' end, case when pubdelete then 'delete' end], null), 'tables',
          array(select schemaname || '.' || tablename from pg_publication_tables t where t.pubname = p.pubname),
          'split', array(select n.nspname || '.' || c.relname
            from unnest(${sql.param(tables)}::text[]) named join pg_class c on c.oid = to_regclass(named)
            join pg_namespace n on n.oid = c.relnamespace where c.relkind = 'p' and not p.pubviaroot))
        from pg_publication p where pubname = ${names.publication}) as publication,
      (select jsonb_build_object('active', active, 'plugin', plugin, 'isHere', database = current_database(),
          'state', wal_status, 'retained', coalesce(pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn), 0),
          'age', coalesce(age(catalog_xmin), 0))
        from pg_replication_slots where slot_name = ${names.slot}) as slot`);
  const [facts] = rows;
  if (!facts) throw new CheckError("the database answers nothing");
  return { ...facts, names, declarations };
}

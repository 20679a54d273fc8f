import { sql } from "drizzle-orm";
import type { Database } from "../db/client.ts";
import type { Declaration } from "../declare/declaration.ts";
import { rootCodeOf } from "../errors.ts";
import { log } from "../log.ts";
import { addToPublicationSql, publicationSql } from "../sequin-config/publication.ts";
import { CaptureError } from "./errors.ts";

export const PUBLICATION = "aftercommit";

/** Slots belong to the server, so the name has the database's. */
const slotOf = (database: string) =>
  `aftercommit_${database.toLowerCase().replaceAll(/[^a-z0-9]/g, "_")}`.slice(0, 63);

export type Slot = {
  database: string;
  plugin: string;
  confirmed: string;
  /** Its WAL is gone: changes since the confirmed position are lost. */
  isLost: boolean;
};

/** Undefined if there is none. */
export async function readSlot(db: Database, name: string): Promise<Slot | undefined> {
  const { rows } = await db.execute<Slot>(sql`
    select database, plugin, confirmed_flush_lsn::text as confirmed,
      wal_status = 'lost' or coalesce(to_jsonb(s) ->> 'invalidation_reason', '') <> '' as "isLost"
    from pg_replication_slots s where slot_name = ${name}`);
  return rows[0];
}

/** The name of the database's slot, unless another one is given. */
export async function slotName(db: Database): Promise<string> {
  const { rows } = await db.execute<{ name: string }>(sql`select current_database() as name`);
  return slotOf(rows[0]?.name ?? "");
}

const createSlotSql = (name: string, version: number) =>
  // A slot that is synchronized to the standbys survives a failover.
  `select pg_create_logical_replication_slot('${name}', 'pgoutput'${version >= 170_000 ? ", failover => true" : ""})`;

async function versionOf(db: Database): Promise<number> {
  const { rows } = await db.execute<{ version: number }>(
    sql`select current_setting('server_version_num')::int as version`,
  );
  return rows[0]?.version ?? 0;
}

/** The statements that capture needs, for a database in which it may not create anything. */
export async function setupSql(
  db: Database,
  declarations: readonly Declaration[],
  slot: string,
): Promise<string> {
  return `${publicationSql(declarations, PUBLICATION)};\n${createSlotSql(slot, await versionOf(db))};\n`;
}

/** Rejects with CaptureError if the role may not. */
async function publish(db: Database, statement: string): Promise<void> {
  try {
    await db.execute(sql.raw(statement));
  } catch (error) {
    if (rootCodeOf(error) !== "42501") throw error;
    throw new CaptureError(
      `This role may not change the publication. As the owner of the tables: ${statement}`,
    );
  }
  log("info", "capture.publication", { statement });
}

/** Creates a publication of the declared tables. Rejects with CaptureError if the role may not. */
export const createPublication = (db: Database, declarations: readonly Declaration[], name: string) =>
  publish(db, publicationSql(declarations, name));

/** Creates the publication, or adds the declared tables that it lacks. Resolves with whether there was one. */
export async function ensurePublication(
  db: Database,
  declarations: readonly Declaration[],
): Promise<boolean> {
  const { rows } = await db.execute<{ tables: string[]; all: boolean }>(sql`
    select puballtables as all, array(select t.schemaname || '.' || t.tablename from pg_publication_tables t
      where t.pubname = p.pubname) as tables from pg_publication p where pubname = ${PUBLICATION}`);
  const [publication] = rows;
  const lacking = declarations
    .map(({ table }) => table)
    .filter(({ schema, name }) => !publication?.tables.includes(`${schema}.${name}`));
  if (!publication) await createPublication(db, declarations, PUBLICATION);
  else if (!publication.all && lacking.length > 0)
    await publish(db, addToPublicationSql(lacking, PUBLICATION));
  return publication !== undefined;
}

/** Creates the slot. Another process may have been faster. */
export async function createSlot(db: Database, name: string): Promise<void> {
  try {
    await db.execute(sql.raw(createSlotSql(name, await versionOf(db))));
    log("info", "capture.slot_created", { slot: name });
  } catch (error) {
    if (rootCodeOf(error) !== "42710") throw error;
  }
}

export async function dropSlot(db: Database, name: string): Promise<void> {
  await db.execute(sql`select pg_drop_replication_slot(${name})`);
}

import { randomBytes } from "node:crypto";
import { sql } from "drizzle-orm";
import type { Database } from "../db/client.ts";
import type { Declaration } from "../declare/declaration.ts";
import { log } from "../log.ts";
import type { Feed } from "./feed.ts";
import { createPublication } from "./slot.ts";

const PREFIX = "aftercommit_temporary_";

/** The publications of these feeds, and whether a slot is read with each. */
async function readPublications(db: Database): Promise<{ name: string; isRead: boolean }[]> {
  const { rows } = await db.execute<{ name: string; isRead: boolean }>(sql`
    select pubname as name, exists (select from pg_replication_slots where slot_name = pubname) as "isRead"
    from pg_publication where starts_with(pubname, ${PREFIX})`);
  return rows;
}

const drop = (db: Database, name: string) =>
  db.execute(sql`drop publication if exists ${sql.identifier(name)}`);

/**
 * A slot and a publication that last as long as the process, so that nothing is left and no WAL is kept. What changes
 * while it is not connected is not captured. The publication of a process that was killed is dropped by the next one.
 */
export function temporaryFeed(db: Database, declarations: readonly Declaration[]): Feed {
  const name = `${PREFIX}${randomBytes(4).toString("hex")}`;
  return {
    slot: name,
    publication: name,
    isTemporary: true,
    async open() {
      const publications = await readPublications(db);
      for (const other of publications)
        if (other.name !== name && !other.isRead) {
          await drop(db, other.name);
          log("info", "capture.publication_dropped", { publication: other.name, leftBy: "a killed process" });
        }
      if (!publications.some((one) => one.name === name)) await createPublication(db, declarations, name);
      const { rows } = await db.execute<{ lsn: string }>(sql`select pg_current_wal_lsn()::text as lsn`);
      return rows[0]?.lsn ?? "0/0";
    },
    async close() {
      await drop(db, name);
    },
  };
}

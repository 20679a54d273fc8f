import { randomBytes } from "node:crypto";
import { sql } from "drizzle-orm";
import type { Client } from "pg";
import type { Database } from "../db/client.ts";
import { connectionOf, TlsClient } from "../db/tls.ts";
import type { Declaration } from "../declare/declaration.ts";
import { log } from "../log.ts";
import type { Feed } from "./feed.ts";
import { createPublication } from "./slot.ts";

const PREFIX = "aftercommit_temporary_";

/** The publications of these feeds. */
async function readPublications(db: Database): Promise<string[]> {
  const { rows } = await db.execute<{ name: string }>(
    sql`select pubname as name from pg_publication where starts_with(pubname, ${PREFIX})`,
  );
  return rows.map(({ name }) => name);
}

const drop = (db: Pick<Database, "execute">, name: string) =>
  db.execute(sql`drop publication if exists ${sql.identifier(name)}`);

/**
 * A connection whose advisory lock marks a publication as used. The slot cannot mark it: it is created later, and ends
 * with the connection that reads it. The lock is shared, so a dead connection that the server still counts does not
 * block the next one.
 */
async function markAsUsed(url: string, name: string): Promise<Client> {
  const client = new TlsClient({
    ...connectionOf(url),
    application_name: "aftercommit: capture",
    keepAlive: true,
  });
  client.on("error", () => {});
  try {
    await client.connect();
    await client.query("select pg_advisory_lock_shared(hashtextextended($1, 0))", [name]);
    return client;
  } catch (error) {
    client.end().catch(() => {});
    throw error;
  }
}

/** Drops a publication, unless a process uses it. */
async function dropIfLeft(db: Database, name: string): Promise<void> {
  await db.transaction(async (tx) => {
    const { rows } = await tx.execute<{ isLeft: boolean }>(
      sql`select pg_try_advisory_xact_lock(hashtextextended(${name}, 0)) as "isLeft"`,
    );
    if (!rows[0]?.isLeft) return;
    await drop(tx, name);
    log("info", "capture.publication_dropped", { publication: name, leftBy: "a killed process" });
  });
}

type Options = { db: Database; url: string; declarations: readonly Declaration[] };

/**
 * A slot and a publication that last as long as the process, so that nothing is left and no WAL is kept. What changes
 * while it is not connected is not captured. The publication of a process that was killed is dropped by the next one.
 */
export function temporaryFeed({ db, url, declarations }: Options): Feed {
  const name = `${PREFIX}${randomBytes(4).toString("hex")}`;
  let mark: Client | undefined;
  // An open connection would keep the process alive.
  const unmark = () => {
    mark?.end().catch(() => {});
    mark = undefined;
  };
  return {
    slot: name,
    publication: name,
    isTemporary: true,
    async open() {
      // It was opened before if the connection to the slot broke, and perhaps this one as well.
      unmark();
      mark = await markAsUsed(url, name);
      try {
        const publications = await readPublications(db);
        for (const other of publications) if (other !== name) await dropIfLeft(db, other);
        if (!publications.includes(name)) await createPublication(db, declarations, name);
        const { rows } = await db.execute<{ lsn: string }>(sql`select pg_current_wal_lsn()::text as lsn`);
        return rows[0]?.lsn ?? "0/0";
      } catch (error) {
        unmark();
        throw error;
      }
    },
    async close() {
      try {
        await drop(db, name);
      } finally {
        unmark();
      }
    },
  };
}

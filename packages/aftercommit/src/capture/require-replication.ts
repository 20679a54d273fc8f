import { Client } from "pg";
import { connectionOf, TlsClient } from "../db/tls.ts";
import { messageOf, rootCodeOf } from "../errors.ts";
import { CaptureError } from "./errors.ts";

const LOGICAL =
  "alter system set wal_level = 'logical', then restart PostgreSQL (a hosted one: in its settings)";
const POOLER =
  "This is a connection pooler, which passes no replication: set DIRECT_DATABASE_URL to the database's own address";

/** PostgreSQL 19 decodes from `replica` on. */
async function requireWalLevel(url: string): Promise<void> {
  const client = new TlsClient({ ...connectionOf(url), application_name: "aftercommit" });
  await client.connect();
  try {
    const { rows } = await client.query<{ level: string; decodes: boolean }>(`
      select current_setting('wal_level') as level, current_setting('wal_level') = 'logical'
        or (current_setting('server_version_num')::int >= 190000 and current_setting('wal_level') = 'replica') as decodes`);
    const [{ level, decodes } = { level: "unknown", decodes: false }] = rows;
    if (!decodes) throw new CaptureError(`wal_level is ${level}: ${LOGICAL}`);
  } finally {
    await client.end();
  }
}

function asCaptureError(error: unknown): unknown {
  if (rootCodeOf(error) === "42501")
    return new CaptureError(
      `${messageOf(error)}: alter role … replication, as a superuser (Amazon RDS: grant rds_replication to …)`,
    );
  // PgBouncer refuses the startup parameter; others ignore it, and the command is no SQL.
  const isPooler =
    rootCodeOf(error) === "42601" || /startup parameter|pooler|pgbouncer/i.test(messageOf(error));
  return isPooler ? new CaptureError(`${POOLER} (${messageOf(error)})`) : error;
}

/** Rejects with CaptureError unless the server at `url` decodes its WAL for this role. */
export async function requireReplication(url: string): Promise<void> {
  await requireWalLevel(url);
  const client = new Client({ ...connectionOf(url), ...{ replication: "database" } });
  client.on("error", () => {});
  try {
    await client.connect();
    await client.query("IDENTIFY_SYSTEM");
  } catch (error) {
    throw asCaptureError(error);
  } finally {
    await client.end().catch(() => {});
  }
}

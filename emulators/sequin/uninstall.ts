import { Client, escapeIdentifier } from "pg";
import { releaseLock, takeLock } from "./capture/listen.ts";

/**
 * Removes everything that the emulator has put into a database: its schema, with its functions and their triggers.
 * Returns whether there was anything. Throws while an emulator works there, and if a table stays locked.
 */
export async function uninstall({
  databaseUrl,
  schema = "sequin_local",
}: {
  databaseUrl: string;
  schema?: string;
}): Promise<boolean> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    await takeLock(client, schema);
    const found = await client.query("select from pg_namespace where nspname = $1", [schema]);
    // Waiting for a table's lock makes everyone else who needs that table wait, too.
    await client.query("set lock_timeout = '5s'");
    await client.query(`drop schema if exists ${escapeIdentifier(schema)} cascade`);
    await releaseLock(client, schema);
    return found.rowCount === 1;
  } finally {
    await client.end();
  }
}

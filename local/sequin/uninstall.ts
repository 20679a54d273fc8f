import { Client, escapeIdentifier } from "pg";

/** Removes everything the stand-in has put into a database: its triggers, its function and its schema. */
export async function uninstall({
  databaseUrl,
  schema = "sequin_local",
}: {
  databaseUrl: string;
  schema?: string;
}): Promise<void> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    // The triggers depend on the schema's function, so they go with it.
    await client.query(`drop schema if exists ${escapeIdentifier(schema)} cascade`);
  } finally {
    await client.end();
  }
}

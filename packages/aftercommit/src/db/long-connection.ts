import type { Client } from "pg";
import { hasOwnSession, PoolerError } from "./session.ts";
import { connectionOf, TlsClient } from "./tls.ts";

/**
 * Runs `work` on a dedicated connection without timeouts: building an index takes as long as the table is large, and
 * waits for every open transaction. Rejects like `work`, or with PoolerError if the connection shares its session.
 */
export async function withLongConnection<T>(url: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new TlsClient({
    ...connectionOf(url),
    application_name: "aftercommit: long",
    keepAlive: true,
  });
  // If the connection breaks, the current query rejects.
  client.on("error", () => {});
  await client.connect();
  try {
    if (!(await hasOwnSession(client)))
      throw new PoolerError(
        "A connection pooler shares its sessions",
        "Set DIRECT_DATABASE_URL to the database's own address",
      );
    // A role or database may set its own timeouts; pg leaves a 0 out of the startup parameters.
    await client.query("set statement_timeout = 0; set lock_timeout = 0");
    return await work(client);
  } finally {
    await client.end();
  }
}

import { Client } from "pg";

/**
 * Work on a connection of its own without a time-out of its statements: for building an index, which takes as long as
 * the table is large. Rejects as the work does.
 */
export async function withLongConnection<T>(url: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({
    connectionString: url,
    application_name: "aftercommit: long",
    keepAlive: true,
  });
  // What breaks the connection is told by the query that it breaks.
  client.on("error", () => {});
  await client.connect();
  try {
    // A role or a database may have a time-out of its own; pg leaves a 0 out of the start-up parameters.
    await client.query("set statement_timeout = 0");
    return await work(client);
  } finally {
    await client.end();
  }
}

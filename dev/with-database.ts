import { connect, type Database, disconnect } from "../packages/aftercommit/src/db/client.ts";

/** Uses a database through the product's connection, with its timeouts, and closes it afterwards. */
export async function withDatabase<T>(url: string, work: (db: Database) => Promise<T>): Promise<T> {
  try {
    return await work(connect(url, { poolSize: 1 }));
  } finally {
    await disconnect();
  }
}

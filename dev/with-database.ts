import { connect, type Database, disconnect } from "../drizzle/client.ts";

/** Works on a database through the product's own tables and queries, and leaves no connection behind. */
export async function withDatabase<T>(url: string, work: (db: Database) => Promise<T>): Promise<T> {
  try {
    return await work(connect(url, { poolSize: 1 }));
  } finally {
    await disconnect();
  }
}

import { eq } from "drizzle-orm";
import { connect, disconnect } from "../../drizzle/client.ts";
import { userDeletions } from "../../drizzle/schema.ts";
import { startMigratedPostgres } from "../postgres.ts";

/** A Postgres of its own with every migration of the product. */
export async function startDatabase() {
  const postgres = await startMigratedPostgres();
  const db = connect(postgres.url);
  return {
    db,
    url: postgres.url,
    /** The ledger's row of a user; fails where there is none. */
    async deletion(userId: string) {
      const [row] = await db.select().from(userDeletions).where(eq(userDeletions.userId, userId));
      if (!row) throw new Error(`No deletion of ${userId} is in the ledger`);
      return row;
    },
    async close() {
      await disconnect();
      await postgres.close();
    },
  };
}

import { findMissingMigrations } from "../drizzle/queries/applied-migrations.ts";
import { withDatabase } from "./with-database.ts";

/** What the database or its connection said, without the query around it. */
function reasonOf(error: unknown): string {
  const { cause = error } = error instanceof Error ? error : {};
  return cause instanceof Error ? cause.message || cause.name : String(cause);
}

/** Rejects where a database of the user's does not answer or lacks migrations; it only reads. */
export async function requireMigrations(databaseUrl: string): Promise<void> {
  const lacking = await withDatabase(databaseUrl, findMissingMigrations).catch((error: unknown) => {
    const host = URL.canParse(databaseUrl) ? new URL(databaseUrl).host : "DATABASE_URL";
    throw new Error(`The database of DATABASE_URL cannot be read at ${host} (${reasonOf(error)}).`, {
      cause: error,
    });
  });
  if (lacking.length > 0)
    throw new Error(
      `The database of DATABASE_URL lacks ${lacking.join(", ")}. Apply what is missing with \`npm run migrate\`: npm run dev changes nothing in a database of yours.`,
    );
}

import * as config from "../aftercommit.config.ts";
import type { Database } from "../packages/aftercommit/src/db/client.ts";
import { declarationsOf } from "../packages/aftercommit/src/declare/declarations.ts";
import { findMissingMigrations } from "../packages/aftercommit/src/migrate/missing-migrations.ts";
import { SourceError, sourceOf } from "../packages/aftercommit/src/source.ts";
import { withDatabase } from "./with-database.ts";

/** The database's or the connection's own message, without the query. */
function reasonOf(error: unknown): string {
  const { cause = error } = error instanceof Error ? error : {};
  return cause instanceof Error ? cause.message || cause.name : String(cause);
}

/** What the database lacks; undefined if nothing. */
async function findMissing(db: Database): Promise<string | undefined> {
  const migrations = await findMissingMigrations(db);
  if (migrations.length > 0) return `lacks ${migrations.join(", ")}.`;
  for (const declaration of declarationsOf(config)) {
    try {
      await sourceOf(db, declaration);
    } catch (error) {
      if (error instanceof SourceError) return `does not fit aftercommit.config.ts. ${error.message}.`;
      throw error;
    }
  }
  return undefined;
}

/** Rejects if a user's database does not answer or is not migrated. Only reads. */
export async function requireMigrations(databaseUrl: string): Promise<void> {
  const missing = await withDatabase(databaseUrl, findMissing).catch((error: unknown) => {
    const host = URL.canParse(databaseUrl) ? new URL(databaseUrl).host : "DATABASE_URL";
    throw new Error(`The database of DATABASE_URL cannot be read at ${host} (${reasonOf(error)}).`, {
      cause: error,
    });
  });
  if (missing)
    throw new Error(
      `The database of DATABASE_URL ${missing} Apply what is missing with \`npm run migrate\`: npm run dev changes nothing in a database of yours.`,
    );
}

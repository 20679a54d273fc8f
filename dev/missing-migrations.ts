import { readFileSync } from "node:fs";
import { join } from "node:path";
import pg from "pg";
import { z } from "zod";

const journal = z.object({ entries: z.array(z.object({ tag: z.string(), when: z.number() })) });

// The ledger's schema or table is missing: nothing was ever applied.
const NO_LEDGER = ["3F000", "42P01"];

async function appliedAt(client: pg.Client): Promise<Set<number>> {
  try {
    const { rows } = await client.query<{ created_at: string }>(
      "select created_at from drizzle.__drizzle_migrations",
    );
    return new Set(rows.map((row) => Number(row.created_at)));
  } catch (error) {
    if (error instanceof pg.DatabaseError && NO_LEDGER.includes(error.code ?? "")) return new Set();
    throw error;
  }
}

async function missing(databaseUrl: string, migrationsFolder: string): Promise<string[]> {
  const { entries } = journal.parse(
    JSON.parse(readFileSync(join(migrationsFolder, "meta", "_journal.json"), "utf8")),
  );
  const client = new pg.Client({
    connectionString: databaseUrl,
    application_name: "npm run dev: migrations",
    connectionTimeoutMillis: 10_000,
    query_timeout: 10_000,
  });
  client.on("error", () => {});
  try {
    await client.connect();
    const applied = await appliedAt(client);
    return entries.filter(({ when }) => !applied.has(when)).map(({ tag }) => tag);
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** Rejects where a database of the user's does not answer or lacks migrations; it only reads. */
export async function requireMigrations(databaseUrl: string, migrationsFolder: string): Promise<void> {
  const lacking = await missing(databaseUrl, migrationsFolder).catch((error: unknown) => {
    const host = URL.canParse(databaseUrl) ? new URL(databaseUrl).host : "DATABASE_URL";
    const reason = error instanceof Error ? error.message || error.name : String(error);
    throw new Error(`The database of DATABASE_URL cannot be read at ${host} (${reason}).`, { cause: error });
  });
  if (lacking.length > 0)
    throw new Error(
      `The database of DATABASE_URL lacks ${lacking.join(", ")}. Apply what is missing with \`npm run migrate\`: npm run dev changes nothing in a database of yours.`,
    );
}

import { join } from "node:path";
import { readMigrationFiles } from "drizzle-orm/migrator";
import { type Client, DatabaseError } from "pg";
import { withLongConnection } from "../long-connection.ts";
import journal from "../migrations/meta/_journal.json" with { type: "json" };
import { carryOverEmbeddings } from "./carry-over-embeddings.ts";
import { createFirstModel, type FirstModel } from "./first-model.ts";

const FOLDER = join(import.meta.dirname, "../migrations");

// A migration that waits for a lock makes everybody wait who comes after it: it gives up soon and tries again.
const LOCK_TIMEOUT_MS = 2_000;
// The lock's time-out, and a deadlock with a writer that holds rows of one table and waits for the other.
const LOCKED = ["55P03", "40P01"];
const PAUSE_MS = 1_000;

// Any number: two processes that migrate at once take turns.
const ADVISORY_LOCK = 4_203_977;

type Say = (line: string) => void;

type Options = { url: string; model: FirstModel; say?: Say };

/** What has to be done in pages, while the app serves, before a migration can be applied. */
const before: Readonly<Record<string, (client: Client, model: FirstModel, say: Say) => Promise<void>>> = {
  "0008_switch_post_embeddings": carryOverEmbeddings,
};

async function appliedAt(client: Client): Promise<Set<number>> {
  // The ledger of drizzle-kit and of drizzle-orm's own migrator.
  await client.query("create schema if not exists drizzle");
  await client.query(
    "create table if not exists drizzle.__drizzle_migrations (id serial primary key, hash text not null, created_at bigint)",
  );
  const { rows } = await client.query<{ created_at: string }>(
    "select created_at from drizzle.__drizzle_migrations",
  );
  return new Set(rows.map((row) => Number(row.created_at)));
}

type Migration = ReturnType<typeof readMigrationFiles>[number];

async function apply(client: Client, { sql, hash, folderMillis }: Migration): Promise<void> {
  await client.query("begin");
  try {
    await client.query(`set local lock_timeout = ${LOCK_TIMEOUT_MS}`);
    for (const statement of sql) await client.query(statement);
    await client.query("insert into drizzle.__drizzle_migrations (hash, created_at) values ($1, $2)", [
      hash,
      folderMillis,
    ]);
    await client.query("commit");
  } catch (error) {
    await client.query("rollback");
    throw error;
  }
}

async function applyWhenFree(client: Client, migration: Migration, tag: string, say: Say): Promise<void> {
  for (;;) {
    try {
      return await apply(client, migration);
    } catch (error) {
      if (!(error instanceof DatabaseError) || !LOCKED.includes(error.code ?? "")) throw error;
      say(`${tag} waits for a lock that another transaction holds; trying again`);
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }
}

/**
 * Brings a database up to this build: applies each missing migration in a transaction of its own, carries data over in
 * pages, and registers the first embedding model where there is none. Interrupted, it goes on where it was.
 * Resolves with the tags of the migrations that it applied.
 */
export async function migrateDatabase({ url, model, say = () => {} }: Options): Promise<string[]> {
  return withLongConnection(url, async (client) => {
    const tags: string[] = [];
    await client.query("select pg_advisory_lock($1)", [ADVISORY_LOCK]);
    const applied = await appliedAt(client);
    const migrations = readMigrationFiles({ migrationsFolder: FOLDER });
    for (const [index, migration] of migrations.entries()) {
      const tag = journal.entries[index]?.tag ?? "";
      if (applied.has(migration.folderMillis)) continue;
      await before[tag]?.(client, model, say);
      await applyWhenFree(client, migration, tag, say);
      say(`applied ${tag}`);
      tags.push(tag);
    }
    await createFirstModel(client, model);
    return tags;
  });
}

import { setTimeout as wait } from "node:timers/promises";
import type { Log } from "@aftercommit/local-shared/log.ts";
import { Client, escapeIdentifier } from "pg";
import { z } from "zod";

export type Listener = { close(): Promise<void> };

const lock = z.tuple([z.object({ locked: z.boolean() })]);

/**
 * Calls `wake` whenever a transaction with captured changes commits, over a dedicated connection that is reopened if it
 * breaks. The connection also holds the advisory lock that keeps a second emulator away from the schema. Rejects if
 * another process has it.
 */
export async function listen(
  databaseUrl: string,
  schema: string,
  wake: () => void,
  log: Log,
): Promise<Listener> {
  let closed = false;
  let client = await connect();

  async function connect(): Promise<Client> {
    const fresh = new Client({ connectionString: databaseUrl, application_name: schema });
    fresh.on("error", () => {});
    try {
      await fresh.connect();
      await takeLock(fresh, schema);
      await fresh.query(`listen ${escapeIdentifier(schema)}`);
    } catch (error) {
      await fresh.end().catch(() => {});
      throw error;
    }
    fresh.on("notification", wake);
    fresh.on("end", () => {
      if (!closed) void reconnect();
    });
    return fresh;
  }

  async function reconnect(): Promise<void> {
    log("lost its connection to the database");
    while (!closed) {
      await wait(500, undefined, { ref: false });
      try {
        client = await connect();
        log("connected to the database again");
        wake();
        return;
      } catch {
        // Still down; the next turn tries again.
      }
    }
  }

  return {
    async close() {
      closed = true;
      await releaseLock(client, schema).catch(() => {});
      await client.end().catch(() => {});
    },
  };
}

/**
 * Waits for the advisory lock of the schema, which one emulator at a time holds for the rest of its session. Throws if
 * another process keeps it.
 */
async function takeLock(client: Client, schema: string): Promise<void> {
  // The connection of a killed process may live on for a moment.
  for (let tries = 0; tries < 10; tries++) {
    const found = await client.query("select pg_try_advisory_lock(hashtextextended($1, 0)) as locked", [
      schema,
    ]);
    if (lock.parse(found.rows)[0].locked) return;
    await wait(300);
  }
  throw new Error(`another local Sequin works on this database (advisory lock of schema ${schema})`);
}

/** Sessions that end release it anyway, but those of the Postgres emulator are all one. */
async function releaseLock(client: Client, schema: string): Promise<void> {
  await client.query("select pg_advisory_unlock(hashtextextended($1, 0))", [schema]);
}

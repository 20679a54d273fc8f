import { setTimeout as sleep } from "node:timers/promises";
import { type Client, DatabaseError } from "pg";
import { withLongConnection } from "../db/long-connection.ts";
import { type MigrateOptions, planMigration, type Step } from "./plan.ts";

// A statement that waits for a lock blocks everyone after it, so it gives up soon and tries again.
const LOCK_TIMEOUT_MS = 2_000;
// A lock timeout, and a deadlock.
const LOCKED = ["55P03", "40P01"];
const PAUSE_MS = 1_000;

// An arbitrary number: two processes that migrate at the same time take turns.
const ADVISORY_LOCK = 4_203_977;

type Say = (line: string) => void;

const INSTALL = "install pgvector on the server: https://github.com/pgvector/pgvector#installation";
const FIXES: Readonly<Record<string, string>> = {
  "42501": "let a role that is allowed to run what npx aftercommit migrate --print prints",
  "0A000": INSTALL,
  "58P01": INSTALL,
};

const codeOf = (error: unknown) => (error instanceof DatabaseError ? error.code : undefined) ?? "";

async function apply(client: Client, { sql }: Step): Promise<void> {
  await client.query("begin");
  try {
    await client.query(`set local lock_timeout = ${LOCK_TIMEOUT_MS}`);
    await client.query(sql);
    await client.query("commit");
  } catch (error) {
    await client.query("rollback");
    throw error;
  }
}

async function applyWhenFree(client: Client, step: Step, say: Say): Promise<void> {
  for (;;) {
    try {
      return await apply(client, step);
    } catch (error) {
      if (!LOCKED.includes(codeOf(error)))
        throw new Error([`${step.name} failed`, FIXES[codeOf(error)]].filter(Boolean).join("; "), {
          cause: error,
        });
      say(`${step.name} waits for a lock that another transaction holds; trying again`);
      await sleep(PAUSE_MS);
    }
  }
}

/**
 * Brings a database up to this version and these declarations, each step in its own transaction. If it is interrupted,
 * it continues where it stopped. Changes nothing about the declared tables. Resolves with the names of what it created
 * or changed, and passes them to `say`, along with notes for a person. Rejects before the first step if a declaration
 * does not fit the database, with an AggregateError of each problem.
 */
export async function migrate({
  say = () => {},
  ...options
}: MigrateOptions & { say?: Say }): Promise<string[]> {
  return withLongConnection(options.url, async (client) => {
    await client.query("select pg_advisory_lock($1)", [ADVISORY_LOCK]);
    const { steps, notes } = await planMigration(client, options);
    for (const step of steps) {
      await applyWhenFree(client, step, say);
      say(`applied ${step.name}`);
    }
    for (const note of notes) say(note);
    return steps.map(({ name }) => name);
  });
}

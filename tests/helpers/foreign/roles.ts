import { Client } from "pg";
import type { MigrateOptions } from "../../../packages/aftercommit/src/migrate/plan.ts";
import { printMigration } from "../../../packages/aftercommit/src/migrate/print.ts";
import { realPostgres } from "../real-postgres.ts";

export const ROLES = ["aftercommit_app", "aftercommit_tasks", "aftercommit_sequin"] as const;

/** The URL of a database for one of its roles, whose password is its name. */
export const urlAs = (url: string, role: string) =>
  Object.assign(new URL(url), { username: role, password: role }).href;

/** Roles belong to the whole server: tests that change them at the same time would interfere. */
async function alone(work: () => Promise<void>): Promise<void> {
  const server = new Client({ connectionString: realPostgres });
  await server.connect();
  try {
    await server.query("select pg_advisory_lock(hashtext('aftercommit_roles'))");
    await work();
  } finally {
    await server.end();
  }
}

/** Runs what migrate prints, as a superuser, and gives the roles passwords. */
export const runPrinted = (client: Client, options: MigrateOptions) =>
  alone(async () => {
    await client.query(await printMigration(options));
    for (const role of ROLES) await client.query(`alter role ${role} password '${role}'`);
  });

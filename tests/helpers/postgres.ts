import { rm } from "node:fs/promises";
import { type Postgres, type PostgresOptions, startPostgres } from "../../emulators/postgres/start.ts";
import { applyMigrations, copyOf, type Template, templateDatabase } from "./postgres-template.ts";
import { createDatabase, realPostgres, runOn } from "./real-postgres.ts";

/** A Postgres emulator on a free port, with a new database in a temporary folder. */
export async function startLocalPostgres(
  options: Partial<PostgresOptions> = {},
  template: Template = "empty",
) {
  const dataDir = copyOf(template);
  const log: string[] = [];
  const start = (port: number) =>
    startPostgres({ dataDir, host: "127.0.0.1", port, log: (line) => log.push(line), ...options });
  let postgres: Postgres = await start(0);
  return {
    url: postgres.url,
    port: postgres.port,
    log,
    /** The server stops and comes back with its data, at its address. */
    async restart() {
      await postgres.close();
      postgres = await start(postgres.port);
    },
    async close() {
      await postgres.close();
      await rm(dataDir, { recursive: true });
    },
  };
}

export type LocalPostgres = Awaited<ReturnType<typeof startLocalPostgres>>;

/** Removes everything from a database. */
export const EMPTY = `do $$ declare name text; begin
  for name in select pubname from pg_publication loop execute format('drop publication %I', name); end loop;
  for name in select nspname from pg_namespace where nspname !~ '^pg_' and nspname <> 'information_schema'
  loop execute format('drop schema %I cascade', name); end loop;
  create schema public;
end $$`;

// Starting a server takes two seconds of processor time, emptying one a tenth, so files that share a process pass it
// on.
const idle: LocalPostgres[] = [];

/** A Postgres emulator with a new database. Another file may have used it before. */
export async function borrowLocalPostgres(template: Template = "empty"): Promise<LocalPostgres> {
  const used = idle.pop();
  const server = used ?? (await startLocalPostgres({}, template));
  if (used) {
    await runOn(used.url, [EMPTY]);
    if (template === "migrated") await applyMigrations(used.url);
    used.log.length = 0;
  }
  return { ...server, close: async () => void idle.push(server) };
}

/** A new database: on the real PostgreSQL that TEST_DATABASE_URL names, otherwise on the emulator. */
const startOn = (template: Template) =>
  realPostgres ? createDatabase(realPostgres, templateDatabase(template)) : borrowLocalPostgres(template);

export const startFreshPostgres = () => startOn("empty");

/** With the sample tables and everything of the product. */
export const startMigratedPostgres = () => startOn("migrated");

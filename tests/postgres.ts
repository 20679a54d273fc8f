import { rm } from "node:fs/promises";
import { type Postgres, type PostgresOptions, startPostgres } from "../local/postgres/start.ts";
import { copyOf, type Template, templateDatabase } from "./postgres-template.ts";
import { createDatabase, realPostgres } from "./real-postgres.ts";

/** A local Postgres on a free port, with a fresh database in a folder of its own that goes away with it. */
export async function startLocalPostgres(
  options: Partial<PostgresOptions> = {},
  template: Template = "empty",
) {
  const dataDir = copyOf(template);
  const start = (port: number) =>
    startPostgres({ dataDir, host: "127.0.0.1", port, log: () => {}, ...options });
  let postgres: Postgres = await start(0);
  return {
    url: postgres.url,
    port: postgres.port,
    /** The server goes away and comes back with its data, at its address. */
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

/** A fresh database: on the real PostgreSQL that TEST_DATABASE_URL names, else on a local one. */
const startOn = (template: Template) =>
  realPostgres ? createDatabase(realPostgres, templateDatabase(template)) : startLocalPostgres({}, template);

export const startFreshPostgres = () => startOn("empty");

/** With every migration of the product. */
export const startMigratedPostgres = () => startOn("migrated");

import { randomUUID } from "node:crypto";
import { Client, Pool } from "pg";
import { startFreshPostgres } from "../../postgres.ts";

/** TEST_DATABASE_URL names a real PostgreSQL to run these suites on, each in a new database of its own. */
export const realPostgres = process.env.TEST_DATABASE_URL;

export type Database = Awaited<ReturnType<typeof openDatabase>>;

export async function openDatabase() {
  const server = realPostgres ? await createDatabase(realPostgres) : await startFreshPostgres();
  const pool = new Pool({ connectionString: server.url, max: 3 });
  pool.on("error", () => {});
  const sql = async (text: string, values?: unknown[]) => (await pool.query(text, values)).rows;
  return {
    url: server.url,
    pool,
    sql,
    async empty() {
      await sql(
        "drop schema if exists sequin_local cascade; drop schema public cascade; create schema public",
      );
    },
    /** PGlite only: the server goes away and comes back with its data, at its address. */
    restart: () => server.restart(),
    async close() {
      await pool.end();
      await server.close();
    },
  };
}

async function createDatabase(serverUrl: string) {
  const name = `sequin_test_${randomUUID().replaceAll("-", "")}`;
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  const run = async (statement: string) => {
    const client = new Client({ connectionString: serverUrl });
    await client.connect();
    await client.query(statement);
    await client.end();
  };
  await run(`create database ${name}`);
  const restart = () => Promise.reject(new Error("a real server is not restarted"));
  return { url: url.href, restart, close: () => run(`drop database ${name} with (force)`) };
}

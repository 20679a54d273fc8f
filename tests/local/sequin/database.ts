import { Pool } from "pg";
import { startPostgres } from "../../../local/postgres/start.ts";

/** TEST_DATABASE_URL names a real PostgreSQL to run these suites on; everything in its public schema is lost. */
export const realPostgres = process.env.TEST_DATABASE_URL;

export type Database = Awaited<ReturnType<typeof openDatabase>>;

export async function openDatabase() {
  const local = realPostgres
    ? undefined
    : await startPostgres({ dataDir: null, host: "127.0.0.1", port: 0, log: () => {} });
  const url = realPostgres ?? local?.url ?? "";
  const pool = new Pool({ connectionString: url, max: 3 });
  pool.on("error", () => {});
  const sql = async (text: string, values?: unknown[]) => (await pool.query(text, values)).rows;
  return {
    url,
    pool,
    sql,
    async empty() {
      await sql(
        "drop schema if exists sequin_local cascade; drop schema public cascade; create schema public",
      );
    },
    async close() {
      await pool.end();
      await local?.close();
    },
  };
}

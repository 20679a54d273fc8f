import { Pool } from "pg";
import { startFreshPostgres } from "../../../tests/helpers/postgres.ts";

export type Database = Awaited<ReturnType<typeof openDatabase>>;

export async function openDatabase() {
  const server = await startFreshPostgres();
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
    restart: () => server.restart(),
    async close() {
      await pool.end();
      await server.close();
    },
  };
}

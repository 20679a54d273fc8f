import { execFileSync, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import pg from "pg";
import { freePorts } from "../../tests/helpers/free-ports.ts";
import { startLocal } from "./local.ts";

/** A new database for one benchmark, empty except for what Postgres contains. */
export type FreshDatabase = { url: string; client: pg.Client; drop(): Promise<void> };

export type Server = {
  kind: "PostgreSQL" | "PGlite";
  version: string;
  pgvector: string;
  fresh(): Promise<FreshDatabase>;
};

async function open(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url, application_name: "bench" });
  // If the database disappears, the next query reports it.
  client.on("error", () => {});
  await client.connect();
  return client;
}

async function versions(client: pg.Client) {
  const { rows } = await client.query<{ version: string; pgvector: string }>(
    `select current_setting('server_version') as version,
     coalesce((select default_version from pg_available_extensions where name = 'vector'), 'none') as pgvector`,
  );
  return { version: rows[0]?.version ?? "", pgvector: rows[0]?.pgvector ?? "" };
}

async function onPostgres(url: string): Promise<Server> {
  const admin = await open(url);
  return {
    kind: "PostgreSQL",
    ...(await versions(admin)),
    async fresh() {
      const name = `bench_${randomBytes(6).toString("hex")}`;
      await admin.query(`create database ${name}`);
      const own = new URL(url);
      own.pathname = `/${name}`;
      const client = await open(own.href);
      return {
        url: own.href,
        client,
        async drop() {
          await client.end();
          await admin.query(`drop database ${name} with (force)`);
        },
      };
    },
  };
}

async function startPglite(): Promise<FreshDatabase> {
  const local = await startLocal(resolve("."), ["postgres"]);
  const client = await open(local.databaseUrl);
  return {
    url: local.databaseUrl,
    client,
    async drop() {
      await client.end();
      await local.stop();
    },
  };
}

/** The PostgreSQL of BENCH_DATABASE_URL or TEST_DATABASE_URL, or PGlite if neither is set. */
export async function openServer(): Promise<Server> {
  const url = process.env.BENCH_DATABASE_URL || process.env.TEST_DATABASE_URL;
  if (url) return onPostgres(url);
  const first = await startPglite();
  const known = await versions(first.client);
  await first.drop();
  return { kind: "PGlite", ...known, fresh: startPglite };
}

const SCRIPT = join(import.meta.dirname, "../../scripts/postgres.sh");

/** A PostgreSQL 17 that ends with this process, unless the benchmarks' server is one already. */
export async function realServer(server: Server): Promise<Server> {
  if (server.kind === "PostgreSQL") return server;
  const [port = 0] = await freePorts(1);
  const folder = mkdtempSync(join(tmpdir(), "bench-postgres-"));
  process.on("exit", () => spawnSync(SCRIPT, ["remove", folder]));
  return onPostgres(execFileSync(SCRIPT, ["start", folder, `${port}`], { encoding: "utf8" }).trim());
}

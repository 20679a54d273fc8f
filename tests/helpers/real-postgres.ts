import { randomUUID } from "node:crypto";
import { Client } from "pg";

/** TEST_DATABASE_URL names a real PostgreSQL with pgvector: each suite then uses a new database there. */
export const realPostgres = process.env.TEST_DATABASE_URL || undefined;

/** The URL of another database of a server. */
export function databaseUrl(serverUrl: string, name: string): string {
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return url.href;
}

/** Runs statements one by one on a dedicated connection, each outside a transaction. */
export async function runOn(url: string, statements: readonly string[]): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    for (const statement of statements) await client.query(statement);
  } finally {
    await client.end();
  }
}

const endConnections = (name: string) =>
  `select pg_terminate_backend(pid) from pg_stat_activity where datname = '${name}'`;

/** A new database on a real server, copied from a template. */
export async function createDatabase(serverUrl: string, template: string) {
  const name = `aftercommit_test_${randomUUID().replaceAll("-", "")}`;
  await runOn(serverUrl, [`create database ${name} template ${template}`]);
  return {
    url: databaseUrl(serverUrl, name),
    /** Only for this database, as if the server stopped and came back, because others use the server. */
    restart: () =>
      runOn(serverUrl, [
        `alter database ${name} allow_connections false`,
        endConnections(name),
        `alter database ${name} allow_connections true`,
      ]),
    close: () => runOn(serverUrl, [`drop database ${name} with (force)`]),
  };
}

import { Client } from "pg";
import { afterAll, beforeAll, beforeEach } from "vitest";
import { EMPTY, startFreshPostgres } from "../postgres.ts";

/** A database that is empty before each test, and a connection to it. */
export function emptyDatabase() {
  let server: Awaited<ReturnType<typeof startFreshPostgres>>;
  const database = { url: "", client: new Client() };
  beforeAll(async () => {
    server = await startFreshPostgres();
    database.url = server.url;
    database.client = new Client({ connectionString: server.url });
    await database.client.connect();
  });
  beforeEach(async () => {
    await database.client.query(EMPTY);
  });
  afterAll(async () => {
    await database.client.end();
    await server.close();
  });
  return database;
}

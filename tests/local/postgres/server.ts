import { rm } from "node:fs/promises";
import { Client } from "pg";
import { afterAll, afterEach, beforeAll } from "vitest";
import { type Postgres, type PostgresOptions, startPostgres } from "../../../local/postgres/start.ts";
import { newFolder } from "./new-folder.ts";
import { WireClient } from "./wire-client.ts";

/** For a machine that is busy with other things. */
const startTimeoutMs = 180_000;

/** One server for the tests of a file, with clients that end with their test. */
export function serverForTests(options: Partial<PostgresOptions> = {}) {
  let postgres: Postgres | null = null;
  let folder: string | null = null;
  let clients: Client[] = [];
  const log: string[] = [];

  function server(): Postgres {
    if (!postgres) throw new Error("the server is not started");
    return postgres;
  }

  beforeAll(async () => {
    const line = (text: string) => log.push(text);
    folder = await newFolder();
    postgres = await startPostgres({ dataDir: folder, host: "127.0.0.1", port: 0, log: line, ...options });
  }, startTimeoutMs);
  afterEach(async () => {
    const ending = clients;
    clients = [];
    await Promise.all(ending.map((client) => client.end()));
  });
  afterAll(async () => {
    await postgres?.close();
    if (folder) await rm(folder, { recursive: true });
  });

  async function connect(config: Record<string, unknown> = {}): Promise<Client> {
    const client = new Client({ connectionString: server().url, ...config });
    client.on("error", () => {});
    await client.connect();
    clients.push(client);
    return client;
  }

  return { server, log, connect, wire: (parameters = {}) => WireClient.start(server().port, parameters) };
}

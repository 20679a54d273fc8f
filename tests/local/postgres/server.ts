import { Client } from "pg";
import { afterAll, afterEach, beforeAll } from "vitest";
import { type Postgres, type PostgresOptions, startPostgres } from "../../../local/postgres/start.ts";
import { WireClient } from "./wire-client.ts";

/** One server in memory for the tests of a file, with clients that end with their test. */
export function serverForTests(options: Partial<PostgresOptions> = {}) {
  let postgres: Postgres | null = null;
  let clients: Client[] = [];
  const log: string[] = [];

  function server(): Postgres {
    if (!postgres) throw new Error("the server is not started");
    return postgres;
  }

  beforeAll(async () => {
    const line = (text: string) => log.push(text);
    postgres = await startPostgres({ dataDir: null, host: "127.0.0.1", port: 0, log: line, ...options });
  });
  afterEach(async () => {
    const ending = clients;
    clients = [];
    await Promise.all(ending.map((client) => client.end()));
  });
  afterAll(() => postgres?.close());

  async function connect(config: Record<string, unknown> = {}): Promise<Client> {
    const client = new Client({ connectionString: server().url, ...config });
    client.on("error", () => {});
    await client.connect();
    clients.push(client);
    return client;
  }

  return { server, log, connect, wire: (parameters = {}) => WireClient.start(server().port, parameters) };
}

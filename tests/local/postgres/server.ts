import { Client } from "pg";
import { afterAll, afterEach, beforeAll } from "vitest";
import type { PostgresOptions } from "../../../local/postgres/start.ts";
import { startLocalPostgres } from "../../postgres.ts";
import { WireClient } from "./wire-client.ts";

/** For a machine that is busy with other things. */
const startTimeoutMs = 180_000;

/** One server for the tests of a file, with clients that end with their test. */
export function serverForTests(options: Partial<PostgresOptions> = {}) {
  let postgres: Awaited<ReturnType<typeof startLocalPostgres>> | null = null;
  let clients: Client[] = [];
  const log: string[] = [];

  function server() {
    if (!postgres) throw new Error("the server is not started");
    return postgres;
  }

  beforeAll(async () => {
    postgres = await startLocalPostgres({ log: (line) => log.push(line), ...options });
  }, startTimeoutMs);
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

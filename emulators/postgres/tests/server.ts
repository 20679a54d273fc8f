import { Client } from "pg";
import { afterAll, afterEach, beforeAll } from "vitest";
import {
  borrowLocalPostgres,
  type LocalPostgres,
  startLocalPostgres,
} from "../../../tests/helpers/postgres.ts";
import type { PostgresOptions } from "../start.ts";
import { WireClient } from "./wire-client.ts";

/** One server for the tests of a file, with clients that end with their test. */
export function serverForTests(options?: Partial<PostgresOptions>) {
  let postgres: LocalPostgres | null = null;
  let clients: Client[] = [];

  function server() {
    if (!postgres) throw new Error("the server is not started");
    return postgres;
  }

  beforeAll(async () => {
    postgres = options ? await startLocalPostgres(options) : await borrowLocalPostgres();
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

  return { server, connect, wire: (parameters = {}) => WireClient.start(server().port, parameters) };
}

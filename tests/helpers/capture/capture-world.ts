import { Client } from "pg";
import { afterAll, afterEach, beforeAll, beforeEach } from "vitest";
import { disconnect } from "../../../packages/aftercommit/src/db/client.ts";
import { type Cluster, startCluster } from "../own-cluster.ts";
import { applyMigrations } from "../postgres-template.ts";
import { startTriggerServer } from "../trigger-server.ts";
import { until } from "../until.ts";
import { startCapture, startServer } from "./capture-process.ts";

type Process = ReturnType<typeof startCapture>;

const SLOT = "aftercommit_postgres";

/** A dedicated PostgreSQL with the sample tables, a Trigger.dev, and processes that capture. */
export function captureForTests() {
  let cluster: Cluster;
  let trigger: Awaited<ReturnType<typeof startTriggerServer>>;
  let client: Client;
  let processes: Process[] = [];

  async function connect(): Promise<void> {
    client = new Client({ connectionString: cluster.url });
    client.on("error", () => {});
    await client.connect();
  }

  beforeAll(async () => {
    [cluster, trigger] = await Promise.all([startCluster(), startTriggerServer("tr_dev_capture")]);
    await applyMigrations(cluster.url);
    await connect();
  });
  afterAll(async () => {
    await client.end();
    await disconnect();
    await Promise.all([trigger.close(), cluster.remove()]);
  });
  beforeEach(() => client.query("truncate posts, users, aftercommit.pending, aftercommit.deletions"));
  afterEach(async () => {
    await Promise.all(processes.map((one) => one.kill()));
    processes = [];
  });

  const values = async (query: string): Promise<string[]> =>
    (await client.query({ text: query, rowMode: "array" })).rows.map(([value]) => String(value));

  function startWith(start: (env: Record<string, string>) => Process, env: Record<string, string>): Process {
    const started = start({ DATABASE_URL: cluster.url, TRIGGER_API_URL: trigger.url, ...env });
    processes.push(started);
    return started;
  }

  return {
    get cluster() {
      return cluster;
    },
    /** Runs statements one by one, each in its own transaction. */
    query: (text: string, parameters: unknown[] = []) => client.query(text, parameters),
    values,
    start: (env: Record<string, string> = {}) => startWith(startCapture, env),
    startServer: () => startWith(startServer, {}),
    /** The server is killed and comes back. */
    async killServer(): Promise<void> {
      await cluster.kill();
      await cluster.start();
      await connect();
    },
    /** Resolves when everything that is committed now is confirmed. */
    async caughtUp(output: () => unknown = () => ""): Promise<void> {
      const [lsn] = await values("select pg_current_wal_lsn()");
      await until(
        async () =>
          (
            await values(
              `select confirmed_flush_lsn >= '${lsn}' from pg_replication_slots where slot_name = '${SLOT}'`,
            )
          )[0] === "true",
        {
          what: "confirmation",
          progress: async () => [await values("select count(*) from aftercommit.pending"), output()],
        },
      );
    },
  };
}

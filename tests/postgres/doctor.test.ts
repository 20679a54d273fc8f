import { exec } from "node:child_process";
import { connect as connectTcp, createServer } from "node:net";
import { promisify } from "node:util";
import { sql } from "drizzle-orm";
import { Client } from "pg";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { createSampleTables } from "../../dev/sample-tables.ts";
import { connect, disconnect } from "../../packages/aftercommit/src/db/client.ts";
import { defineTrigger } from "../../packages/aftercommit/src/define.ts";
import { messageOf } from "../../packages/aftercommit/src/errors.ts";
import { declarations, findingsOf, problemOf, problems } from "../helpers/doctor/diagnose.ts";
import { onFreePort } from "../helpers/on-free-port.ts";
import { startCluster } from "../helpers/own-cluster.ts";
import { applyMigrations } from "../helpers/postgres-template.ts";
import { createDatabase, runOn } from "../helpers/real-postgres.ts";
import { until } from "../helpers/until.ts";

const PUBLICATION =
  "create publication sequin_pub for table public.posts, public.users with (publish_via_partition_root = true)";
const SLOT = "select pg_create_logical_replication_slot('sequin_slot', 'pgoutput')";
const DROP_SLOT = "select pg_drop_replication_slot('sequin_slot')";
const INSERT = "insert into posts (title, body, author) values ('a', 'b', 'c')";
const EMIT = "select pg_logical_emit_message(false, 'doctor', repeat('x', 100000000))";
const PEEK = `select count(*) from pg_logical_slot_peek_binary_changes('sequin_slot', null, null,
  'proto_version', '1', 'publication_names', 'sequin_pub')`;

/** Reads a slot, like Sequin, until it is closed. It confirms nothing. */
async function startReader(url: string) {
  const address = new URL(url);
  const config = {
    host: address.hostname,
    port: Number(address.port),
    user: "postgres",
    database: "postgres",
  };
  // Only node-postgres' types lack the parameter; the startup packet has it.
  const client = new Client({ ...config, ...{ replication: "database" } });
  client.on("error", () => {});
  await client.connect();
  const command = `START_REPLICATION SLOT sequin_slot LOGICAL 0/0 (proto_version '1', publication_names 'sequin_pub')`;
  const state = { problem: "" };
  const reading = client.query(command).catch((error: unknown) => {
    state.problem = messageOf(error);
  });
  return {
    get problem() {
      return state.problem;
    },
    async close() {
      await client.end();
      await reading;
    },
  };
}

/** Gives its clients another process id than the server, like a connection pooler. */
async function startPooler(target: string) {
  const server = createServer((near) => {
    const far = connectTcp(Number(new URL(target).port), "127.0.0.1");
    far.on("data", (bytes) => {
      // BackendKeyData: K, the length 12, the process id, the key.
      const at = bytes.indexOf(Buffer.from([0x4b, 0, 0, 0, 12]));
      if (at !== -1) bytes.writeInt32BE(1, at + 5);
      near.write(bytes);
    });
    near.on("data", (bytes) => far.write(bytes));
    for (const [one, other] of [[near, far] as const, [far, near] as const])
      one.on("error", () => {}).on("close", () => other.destroy());
  });
  const { port } = await onFreePort(server);
  const url = new URL(target);
  url.port = String(port);
  return { url: url.href, close: () => server.close() };
}

describe("the doctor on a dedicated PostgreSQL", () => {
  let cluster: Awaited<ReturnType<typeof startCluster>>;
  const run = (...statements: string[]) => runOn(cluster.url, statements);
  /** Runs the statements of a fix, up to the sentence about what comes after them. */
  const follow = (fix: string) => run(...(fix.split(". Then")[0] ?? "").split("; "));

  beforeAll(async () => {
    cluster = await startCluster();
    await applyMigrations(cluster.url);
    await run(
      "alter system set max_slot_wal_keep_size = '1GB'",
      "select pg_reload_conf()",
      PUBLICATION,
      SLOT,
    );
  });
  beforeEach(() => vi.stubEnv("DATABASE_URL", cluster.url));
  afterAll(async () => {
    vi.unstubAllEnvs();
    await disconnect();
    await cluster.remove();
  });

  async function isRead(): Promise<boolean> {
    const { rows } = await connect(cluster.url).execute(sql`select from pg_replication_slots where active`);
    return rows.length > 0;
  }

  /** While something reads the slot, so that everything else is healthy. */
  async function whileRead<T>(work: () => Promise<T>): Promise<T> {
    const reader = await startReader(cluster.url);
    try {
      await until(isRead, { what: "the slot to be read", progress: () => reader.problem });
      return await work();
    } finally {
      await reader.close();
      await until(async () => !(await isRead()), { what: "the slot to be left" });
    }
  }
  const expectNothing = async () => expect(await whileRead(() => problems("capture"))).toEqual([]);

  it("finds nothing where all is well", expectNothing);

  it("database.pgvector: one with known errors, such as Debian's, and nothing else in the database", async () => {
    const { rows } = await connect(cluster.url).execute<{ old: boolean }>(
      sql`select string_to_array(extversion, '.')::int[] < '{0,8,4}' as old from pg_extension where extname = 'vector'`,
    );
    expect(await problems("database")).toEqual(rows[0]?.old ? ["database.pgvector"] : []);
  });

  it("database.connection: a connection pooler in front of the server", async () => {
    const pooler = await startPooler(cluster.url);
    vi.stubEnv("DATABASE_URL", pooler.url);
    const find = () => problemOf("database.connection", { isAlone: false });
    const lacking = await find();
    expect(lacking).toMatchObject({
      state: "failed",
      fix: expect.stringMatching(/^alter role "postgres" in/),
    });
    await follow(lacking.fix ?? "");
    expect(await find()).toMatchObject({
      state: "warning",
      actual: expect.stringMatching(/connection pooler$/),
      fix: expect.stringContaining("Set DIRECT_DATABASE_URL"),
    });
    vi.stubEnv("DIRECT_DATABASE_URL", cluster.url);
    expect(await problems("database")).not.toContain("database.connection");
    vi.stubEnv("DIRECT_DATABASE_URL", undefined);
    await disconnect();
    pooler.close();
  });

  it("database.migrations: those that an empty database lacks, and the fix applies them", async () => {
    const database = await createDatabase(cluster.url, "template0");
    vi.stubEnv("DATABASE_URL", database.url);
    const { fix } = await problemOf("database.migrations", { isAlone: false });
    await createSampleTables(database.url);
    await promisify(exec)(fix);
    expect(await problems("database")).not.toContain("database.migrations");
    await disconnect();
    await database.close();
  });

  it("capture.wal: no limit keeps a slot from filling the disk, and the fix sets one", async () => {
    await run("alter system reset max_slot_wal_keep_size", "select pg_reload_conf()");
    const { state, fix } = await whileRead(() => problemOf("capture.wal"));
    expect(state).toBe("warning");
    await follow(fix);
    await expectNothing();
  });

  it.each([
    ["without a table", "alter publication sequin_pub drop table public.users", "it lacks public.users"],
    [
      "without deletions",
      "alter publication sequin_pub set (publish = 'insert, update')",
      "it does not publish delete",
    ],
  ])("capture.publication: one %s, and the fix adds what it lacks", async (_, statement, actual) => {
    await run(statement);
    const found = await whileRead(() => problemOf("capture.publication"));
    expect(found.actual).toBe(actual);
    await follow(found.fix);
    await expectNothing();
  });

  it("capture.publication: a table's partitions are published in its place, and the fix publishes the table", async () => {
    await run(
      "create table entries (id int primary key) partition by range (id)",
      "create table entries_1 partition of entries for values from (0) to (100)",
      "alter publication sequin_pub set (publish_via_partition_root = false)",
      "alter publication sequin_pub add table entries",
    );
    const entries = defineTrigger({ row: "entry", table: "public.entries", key: "id", task: "send" });
    // What another source delivers need not be in the publication.
    const event = defineTrigger({ row: "event", table: "e", key: "id", task: "go", from: "debezium" });
    const of = [...declarations, entries, event];
    const find = () => problemOf("capture.publication", { of, isAlone: false });
    const { actual, fix } = await find();
    expect(actual).toBe("it has public.entries under its partitions' names");
    await follow(fix);
    await expect(find()).rejects.toThrow("Not capture.publication");
    await run("drop table entries");
    await expectNothing();
  });

  it("capture.publication: there is none, and the fix creates it; capture.slot: the slot is then too old", async () => {
    await run("drop publication sequin_pub", DROP_SLOT, SLOT, INSERT);
    const missing = await problemOf("capture.publication", { isAlone: false });
    expect([missing.actual, missing.fix]).toEqual(["there is no publication sequin_pub", PUBLICATION]);
    await follow(missing.fix);
    await expect(run(PEEK)).rejects.toThrow(/publication "sequin_pub" does not exist/);
    const old = await problemOf("capture.slot");
    expect(old.actual).toMatch(/^nothing reads it/);
    await follow(/If the publication does not exist for it: (.*)/.exec(old.fix)?.[1] ?? "");
    await run(INSERT, PEEK);
    await expectNothing();
  });

  it("capture.slot: there is none, and the fix creates it and says what may be lost", async () => {
    await run(DROP_SLOT);
    const { actual, fix } = await problemOf("capture.slot");
    expect(actual).toMatch(/^there is no slot sequin_slot/);
    expect(fix).toMatch(/npx aftercommit reconcile --full.* Deletions made meanwhile may be lost/);
    await follow(fix);
    await expectNothing();
  });

  it("capture.slot: one that nothing reads", async () => {
    const { actual, fix } = await problemOf("capture.slot");
    expect(actual).toMatch(/^nothing reads it, [\d.]+ MB of WAL retained$/);
    expect(fix).toMatch(/^Start Sequin/);
  });

  it("capture.slot: one that retains much", async () => {
    await run(EMIT, EMIT, EMIT);
    const found = await whileRead(() => problemOf("capture.slot"));
    expect(found).toMatchObject({
      state: "warning",
      actual: expect.stringMatching(/^active, \d{3}\.\d MB of WAL retained$/),
    });
  });

  it("capture.slot: one whose WAL is lost, and the fix creates it again", async () => {
    await run("alter system set max_slot_wal_keep_size = '1MB'", "select pg_reload_conf()");
    const lost = async () => {
      await run(EMIT, "select pg_switch_wal()", "checkpoint");
      return (await findingsOf("capture")).find(({ actual }) => actual.endsWith("its WAL is lost"));
    };
    const found = await until(lost, { what: "the slot to lose its WAL" });
    await run("alter system set max_slot_wal_keep_size = '1GB'", "select pg_reload_conf()");
    await follow(found.fix ?? "");
    await expectNothing();
  });
});

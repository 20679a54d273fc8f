import { exec } from "node:child_process";
import { connect as connectTcp, createServer } from "node:net";
import { promisify } from "node:util";
import { sql } from "drizzle-orm";
import { Client } from "pg";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { connect, disconnect } from "../../drizzle/client.ts";
import { readSlot } from "../../drizzle/queries/capture-facts.ts";
import { messageOf } from "../../lib/errors.ts";
import { diagnose, findProblem, onlyProblem, problems } from "../doctor/diagnose.ts";
import { onFreePort } from "../on-free-port.ts";
import { applyMigrations } from "../postgres-template.ts";
import { createDatabase, realPostgres, runOn } from "../real-postgres.ts";
import { until } from "../until.ts";
import { startCluster } from "./own-cluster.ts";

const PUBLICATION = "create publication sequin_pub for table public.posts, public.users";
const SLOT = "select pg_create_logical_replication_slot('sequin_slot', 'pgoutput')";
const EMIT = "select pg_logical_emit_message(false, 'doctor', repeat('x', 100000000))";
const PEEK = `select count(*) from pg_logical_slot_peek_binary_changes('sequin_slot', null, null,
  'proto_version', '1', 'publication_names', 'sequin_pub')`;
const DROP_SLOT = "select pg_drop_replication_slot('sequin_slot')";

/** Reads a slot, as Sequin does, until it is closed. */
async function startReader(url: string) {
  const address = new URL(url);
  const config = {
    host: address.hostname,
    port: Number(address.port),
    user: "postgres",
    database: "postgres",
  };
  // Only node-postgres' types lack the parameter: it goes into the start-up packet.
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

/** Gives its clients another process id than the server did, as connection poolers do. */
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

describe.skipIf(!realPostgres)("the doctor on a PostgreSQL of its own (needs TEST_DATABASE_URL)", () => {
  let cluster: Awaited<ReturnType<typeof startCluster>>;
  const run = (...statements: string[]) => runOn(cluster.url, statements);
  const follow = (mend: string) => run(...mend.split("; "));

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

  /** With somebody who reads the slot, so that all else is healthy. */
  async function whileRead<T>(work: () => Promise<T>): Promise<T> {
    const reader = await startReader(cluster.url);
    const isActive = async () => (await readSlot(connect(cluster.url), "sequin_slot"))?.active;
    try {
      await until(isActive, { what: "the slot to be read", progress: () => reader.problem });
      return await work();
    } finally {
      await reader.close();
      await until(async () => !(await isActive()), { what: "the slot to be left" });
    }
  }

  it("finds nothing where all is well", async () => {
    expect(await whileRead(() => problems("capture"))).toEqual([]);
  });

  it("finds a pgvector with known errors, such as Debian's, and nothing else in the database", async () => {
    const { rows } = await connect(cluster.url).execute<{ old: boolean }>(
      sql`select string_to_array(extversion, '.')::int[] < '{0,8,4}' as old from pg_extension where extname = 'vector'`,
    );
    expect(await problems("database")).toEqual(rows[0]?.old ? ["database.pgvector"] : []);
  });

  it("finds a slot that nobody reads", async () => {
    expect((await onlyProblem("capture.reader")).seen).toMatch(/^nobody reads it; it is [\d.]+ MB behind/);
  });

  it("finds a slot that is far behind", async () => {
    await run(EMIT, EMIT, EMIT);
    expect((await findProblem("capture.lag")).seen).toMatch(/^\d{3}\.\d MB behind$/);
    await run("select pg_replication_slot_advance('sequin_slot', pg_current_wal_lsn())");
    expect(await problems("capture")).not.toContain("capture.lag");
  });

  it("finds that no limit keeps a slot from filling the disk, and the remedy sets one", async () => {
    await run("alter system reset max_slot_wal_keep_size", "select pg_reload_conf()");
    const found = await whileRead(() => onlyProblem("capture.limit"));
    expect(found.state).toBe("warning");
    await follow(found.mend);
    expect(await whileRead(() => problems("capture"))).toEqual([]);
  });

  it("finds that there is no slot, and the remedy makes it", async () => {
    await run(DROP_SLOT);
    const found = await onlyProblem("capture.slot");
    await follow(found.mend);
    expect(await whileRead(() => problems("capture"))).toEqual([]);
  });

  it("finds a publication without users, and the remedy adds them", async () => {
    await run("alter publication sequin_pub drop table public.users");
    const found = await onlyProblem("capture.publication");
    expect(found.mend).toBe("alter publication sequin_pub add table public.users");
    await follow(found.mend);
    expect(await whileRead(() => problems("capture"))).toEqual([]);
  });

  it("finds a publication that leaves deletions out, and the remedy takes them in", async () => {
    await run("alter publication sequin_pub set (publish = 'insert, update')");
    await follow((await onlyProblem("capture.publication")).mend);
    expect(await problems("capture")).not.toContain("capture.publication");
  });

  it("finds that there is no publication, and the remedy makes it", async () => {
    await run("drop publication sequin_pub");
    const found = await onlyProblem("capture.publication");
    expect(found.mend).toBe(PUBLICATION);
    await follow(found.mend);
    expect(await problems("capture")).not.toContain("capture.publication");
  });

  it("finds a publication that is younger than the slot, and the remedy lets the slot be read again", async () => {
    await run("drop publication sequin_pub", DROP_SLOT, SLOT);
    await run("insert into posts (title, body, author) values ('a', 'b', 'c')", PUBLICATION);
    await expect(run(PEEK)).rejects.toThrow(/publication "sequin_pub" does not exist/);
    const found = await findProblem("capture.order");
    await follow(found.mend);
    await run("insert into posts (title, body, author) values ('a', 'b', 'c')", PEEK);
    expect(await whileRead(() => problems("capture"))).toEqual([]);
  });

  it("finds a slot that has lost its log, and the remedy makes it anew", async () => {
    await run("alter system set max_slot_wal_keep_size = '1MB'", "select pg_reload_conf()");
    const lost = async () => {
      await run(EMIT, "select pg_switch_wal()", "checkpoint");
      const results = await diagnose("capture");
      return results.find(({ id, state }) => id === "capture.slot" && state === "failed");
    };
    const found = await until(lost, { what: "the slot to lose its log" });
    expect(found.seen).toMatch(/has lost its log/);
    await run("alter system set max_slot_wal_keep_size = '1GB'", "select pg_reload_conf()");
    await follow(found.mend ?? "");
    expect(await whileRead(() => problems("capture"))).toEqual([]);
  });

  it("finds tables that do not log the whole old row, and the remedy has them do so", async () => {
    await run("alter table users replica identity default", "alter table posts replica identity nothing");
    const found = await whileRead(() => onlyProblem("capture.tables"));
    await follow(found.mend);
    expect(await whileRead(() => problems("capture"))).toEqual([]);
  });

  it("finds a connection pooler in the server's place", async () => {
    const pooler = await startPooler(cluster.url);
    vi.stubEnv("DATABASE_URL", pooler.url);
    const found = await findProblem("database.direct");
    expect(found.state).toBe("warning");
    await disconnect();
    pooler.close();
  });

  it("finds the migrations that an empty database misses, and the command applies them", async () => {
    const database = await createDatabase(cluster.url, "template0");
    vi.stubEnv("DATABASE_URL", database.url);
    const found = await findProblem("database.migrations");
    await promisify(exec)(found.mend);
    expect(await problems("database")).not.toContain("database.migrations");
    await disconnect();
    await database.close();
  });
});

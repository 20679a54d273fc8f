import { connect, createServer } from "node:net";
import { expect, it } from "vitest";
import { startCapture } from "../helpers/capture/capture-process.ts";
import { captureForTests } from "../helpers/capture/capture-world.ts";
import { onFreePort } from "../helpers/on-free-port.ts";
import { borrowLocalPostgres } from "../helpers/postgres.ts";

const world = captureForTests();

/** Passes everything but what asks for replication, which it refuses in PgBouncer's words. */
async function startPooler(port: number) {
  const refusal = Buffer.from("SFATAL\0C08P01\0Munsupported startup parameter: replication\0\0");
  const head = Buffer.alloc(5);
  head.write("E");
  head.writeInt32BE(refusal.length + 4, 1);
  const server = createServer((near) => {
    near.on("error", () => {});
    near.once("data", (startup) => {
      if (startup.includes("replication")) return void near.end(Buffer.concat([head, refusal]));
      const far = connect(port, "127.0.0.1");
      far.on("error", () => {});
      far.write(startup);
      near.pipe(far).pipe(near);
    });
  });
  return onFreePort(server);
}

const refused = async (env: Record<string, string>) => {
  const { code, output } = await startCapture(env).end();
  expect(code).toBe(1);
  return output;
};

it("names DATABASE_URL if it is not set", async () => {
  expect(await refused({ DATABASE_URL: "" })).toContain("DATABASE_URL is not set (The connection string");
});

it("says how to set wal_level", async () => {
  const postgres = await borrowLocalPostgres("migrated");
  expect(await refused({ DATABASE_URL: postgres.url })).toContain("alter system set wal_level = 'logical'");
  await postgres.close();
});

it("says that the role needs REPLICATION", async () => {
  await world.query("create role plain login");
  const url = world.cluster.url.replace("postgres@", "plain@");
  const output = await refused({ DATABASE_URL: world.cluster.url, DIRECT_DATABASE_URL: url });
  expect(output).toContain("alter role … replication");
});

it("says that a pooler passes no replication", async () => {
  const pooler = await startPooler(world.cluster.port);
  const url = world.cluster.url.replace(/:\d+\//, `:${pooler.port}/`);
  expect(await refused({ DATABASE_URL: url })).toContain(
    "set DIRECT_DATABASE_URL to the database's own address",
  );
  const capture = world.start({ DATABASE_URL: url, DIRECT_DATABASE_URL: world.cluster.url });
  await capture.hasLogged("capture.started");
  await capture.stop();
  await pooler.close();
});

it("with --print, prints the SQL and runs nothing", async () => {
  await world.query("select pg_drop_replication_slot(slot_name) from pg_replication_slots");
  await world.query("drop publication aftercommit");
  const { code, output } = await startCapture({ DATABASE_URL: world.cluster.url }, "--print").end();
  expect(code).toBe(0);
  expect(output).toContain("create publication aftercommit for table public.posts, public.users with (");
  expect(output).toContain("pg_create_logical_replication_slot('aftercommit_postgres', 'pgoutput'");
  expect(await world.values("select slot_name from pg_replication_slots")).toEqual([]);
  for (const statement of output.split(";").filter((text) => text.trim())) await world.query(statement);
  const capture = world.start();
  await capture.hasLogged("capture.started");
  expect(capture.logged("capture.slot_missing")).toBe(false);
});

import { Client } from "pg";
import { expect, it, vi } from "vitest";
import { captureForTests } from "../helpers/capture/capture-world.ts";
import { startCollector } from "../helpers/collector.ts";
import { problemOf, problems } from "../helpers/doctor/diagnose.ts";
import { until } from "../helpers/until.ts";

const world = captureForTests();

const POST = "insert into posts (title, body, author) values ('A title', 'A body', 'Alice')";
const MANY = (rows: number, body = "'A body'") =>
  `insert into posts (title, body, author) select 'A title', ${body}, 'Alice' from generate_series(1, ${rows}) n`;
const notInInbox = () =>
  world.values(
    "select id from posts p where not exists (select from aftercommit.pending where row_id = p.id::text)",
  );

it("at its first start, puts the rows that are there into the inbox, and then every change", async () => {
  await world.query(MANY(3));
  const capture = world.start();
  await capture.hasLogged("capture.started");
  expect(await notInInbox()).toEqual([]);
  await world.query(POST);
  await world.caughtUp(capture.output);
  expect(await notInInbox()).toEqual([]);
  expect(await capture.stop()).toBe(0);
});

it("stopped during a batch, loses nothing and confirms nothing of it", async () => {
  const capture = world.start();
  await capture.hasLogged("capture.started");
  await world.query(MANY(30_000));
  await until(async () => (await world.values("select 1 from aftercommit.pending limit 1")).length > 0, {
    everyMs: 1,
  });
  expect(await capture.stop()).toBe(0);
  expect((await notInInbox()).length).toBeGreaterThan(0);
  const next = world.start();
  await world.caughtUp(next.output);
  expect(await notInInbox()).toEqual([]);
});

it("a second process waits, and takes over from one that is killed", async () => {
  const first = world.start();
  await first.hasLogged("capture.started");
  const second = world.start();
  await second.hasLogged("capture.standby");
  await world.query(POST);
  await world.caughtUp();
  expect(second.logged("capture.started")).toBe(false);
  await first.kill();
  await world.query(POST);
  await second.hasLogged("capture.started");
  await world.caughtUp();
  expect(await notInInbox()).toEqual([]);
});

it("of two servers of the app with CAPTURE_IN_APP, one captures, and the other takes over", async () => {
  const first = world.startServer();
  await first.hasLogged("capture.started");
  const second = world.startServer();
  await second.hasLogged("capture.standby");
  await first.kill();
  await second.hasLogged("capture.started");
  await world.query(POST);
  await world.caughtUp(second.output);
  expect(await notInInbox()).toEqual([]);
});

it("confirms positions while only other tables change", async () => {
  const capture = world.start();
  await capture.hasLogged("capture.started");
  await world.query("create table noise as select n, repeat('x', 1000) from generate_series(1, 1000) n");
  await world.caughtUp();
});

it("names a slot whose WAL is gone, makes a new one, and finds the rows that changed meanwhile", async () => {
  const before = world.start();
  await before.hasLogged("capture.started");
  await world.caughtUp();
  await before.stop();
  await world.query("alter system set max_slot_wal_keep_size = '1MB'");
  await world.query("select pg_reload_conf()");
  await world.query(MANY(5));
  await until(async () => {
    await world.query("create table if not exists noise (n int, x text)");
    await world.query("insert into noise select n, repeat('x', 1000) from generate_series(1, 20000) n");
    await world.query("select pg_switch_wal()");
    await world.query("checkpoint");
    return (await world.values("select wal_status from pg_replication_slots"))[0] === "lost";
  });
  await world.query("alter system reset max_slot_wal_keep_size");
  await world.query("select pg_reload_conf()");
  const capture = world.start();
  await capture.hasLogged("capture.started");
  expect(capture.output()).toContain("Deletions since then may be missing");
  expect(await notInInbox()).toEqual([]);
  await world.query(POST);
  await world.caughtUp();
  expect(await notInInbox()).toEqual([]);
});

it("reads a transaction that is larger than its memory", async () => {
  const capture = world.start({ NODE_OPTIONS: "--max-old-space-size=112" });
  await capture.hasLogged("capture.started");
  await world.query(MANY(100_000, "repeat(md5(n::text), 64)"));
  await world.caughtUp(capture.output);
  expect(await notInInbox()).toEqual([]);
  expect(await capture.stop()).toBe(0);
});

it("sends how far it is behind as metrics", async () => {
  const collector = await startCollector();
  const capture = world.start({
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_METRIC_EXPORT_INTERVAL: "100",
  });
  await capture.hasLogged("capture.started");
  const lag = (what: "time" | "size") =>
    collector
      .points(collector.last()?.body)
      .find(({ metric }) => metric === `aftercommit.capture.lag.${what}`)?.value;
  await until(() => collector.last() && (lag("time") ?? Number.POSITIVE_INFINITY) < 11, {
    what: "the first metrics",
  });
  const other = new Client({ connectionString: world.cluster.url });
  await other.connect();
  await other.query("begin; lock table aftercommit.pending in access exclusive mode");
  await world.query(MANY(1_000));
  // The lag of an idle capture is up to 10 s.
  await until(() => (lag("time") ?? 0) > 12, { what: "the lag to grow", progress: () => lag("time") });
  expect(lag("size")).toBeGreaterThan(100_000);
  await other.end();
  await until(() => (lag("time") ?? 0) < 11, { what: "the lag to fall", progress: () => lag("time") });
  await world.caughtUp(capture.output);
  await collector.close();
});

it("has a doctor that knows its slot, and says when nothing reads it", async () => {
  vi.stubEnv("DATABASE_URL", world.cluster.url);
  vi.stubEnv("SEQUIN_API_TOKEN", "");
  await world.query("alter system set max_slot_wal_keep_size = '1GB'");
  await world.query("select pg_reload_conf()");
  const capture = world.start();
  await capture.hasLogged("capture.started");
  expect(await problems("capture")).toEqual([]);
  process.kill(capture.pid, "SIGSTOP");
  await world.query(MANY(10_000));
  const late = await problemOf("capture.slot");
  expect(late.actual).toMatch(/^more than 3\.\d s and [1-9]\d*\.\d MB behind, /);
  await capture.kill();
  const isLeft = async () =>
    (
      await world.values("select active from pg_replication_slots where slot_name = 'aftercommit_postgres'")
    )[0] === "false";
  await until(isLeft, { what: "the slot to be left" });
  const { actual, fix } = await problemOf("capture.slot");
  expect(actual).toMatch(/^nothing reads it, [\d.]+ MB of WAL retained$/);
  expect(fix).toMatch(/^Start npx aftercommit capture/);
  vi.unstubAllEnvs();
});

import { setTimeout as sleep } from "node:timers/promises";
import { Pool } from "pg";
import { afterAll, beforeAll, expect, it } from "vitest";
import { captureForTests } from "../helpers/capture/capture-world.ts";
import { startDeletionTasks } from "../helpers/capture/deletion-tasks.ts";
import { chanceOf, seed } from "../helpers/seed.ts";
import { until } from "../helpers/until.ts";

// In full: KILLS=30 CHANGES=10000 DELETIONS=100
const { KILLS = 8, CHANGES = 1_000, DELETIONS = 20 } = process.env;
const [kills, changes, deletions] = [KILLS, CHANGES, DELETIONS].map(Number) as [number, number, number];
const LONGEST_LIFE_MS = 600;
const RESUME_MS = 10_000;

const world = captureForTests();
let tasks: Awaited<ReturnType<typeof startDeletionTasks>>;
beforeAll(async () => {
  tasks = await startDeletionTasks(world.cluster.url);
});
afterAll(() => tasks.close());

/**
 * Commits at least `changes` changes, one by one, until it is stopped. Among them, users are inserted and deleted, in
 * equal distances.
 */
function startWriter(url: string) {
  const pool = new Pool({ connectionString: url, max: 1 });
  pool.on("error", () => {});
  let [isEnough, commits, deleted] = [false, 0, 0];
  async function write(): Promise<void> {
    const { rowCount } = await pool.query(
      deleted < deletions && commits >= (deleted * changes) / deletions
        ? "delete from users where id = (select id from users order by created_at limit 1)"
        : "insert into posts (title, body, author) values ('A title', 'A body', 'Alice')",
    );
    commits += rowCount ?? 0;
  }
  async function countDeleted(): Promise<void> {
    const { rows } = await pool.query(
      "select count(*)::int as count from known where id not in (select id from users)",
    );
    deleted = rows[0].count;
  }
  async function writeAll(): Promise<void> {
    while (!isEnough || commits < changes || deleted < deletions)
      try {
        await write();
        if (commits % 10 === 0) await countDeleted();
      } catch {
        // The server is down. What was committed is in its tables.
        await sleep(20);
      }
  }
  const written = writeAll();
  return {
    commits: () => commits,
    /** Resolves when it has committed all of them. */
    async end() {
      isEnough = true;
      await written;
      await pool.end();
    },
  };
}

it(`loses no change, and mails each of ${deletions} deleted users once, when capture and the database are killed ${kills} times in ${changes} changes (SEED=${seed})`, async () => {
  const chance = chanceOf(seed);
  await world.query(
    `insert into users (first_name, last_name, email)
     select 'A', 'B', 'user' || n || '@example.com' from generate_series(1, ${deletions + 5}) n`,
  );
  // A deleted row leaves nothing else behind.
  await world.query("create table known as select id, email from users");
  const env = { TRIGGER_API_URL: tasks.url };
  let capture = world.start(env);
  await capture.hasLogged("capture.started");
  const writer = startWriter(world.cluster.url);
  for (let kill = 0; kill < kills; kill += 1) {
    await sleep(chance() * LONGEST_LIFE_MS);
    if (kill % 3 === 0) await world.killServer();
    else {
      await capture.kill();
      capture = world.start(env);
      await capture.hasLogged("capture.started");
    }
  }
  await writer.end();
  await world.caughtUp(capture.output);
  expect(writer.commits()).toBeGreaterThanOrEqual(changes);
  const lost =
    "select id from posts p where not exists (select from aftercommit.pending where row_id = p.id::text)";
  expect(await world.values(lost)).toEqual([]);

  const gone = "from known where id not in (select id from users)";
  const deleted = await world.values(`select id ${gone} order by 1`);
  expect(deleted.length).toBe(deletions);
  expect(await world.values("select row_id from aftercommit.deletions order by row_id::uuid")).toEqual(
    deleted,
  );
  const open = () => world.values("select id from aftercommit.deletions where completed_at is null");
  let resumedAt = 0;
  await until(
    async () => {
      if ((await open()).length === 0) return true;
      if (Date.now() - resumedAt > RESUME_MS) await tasks.resume();
      else return false;
      resumedAt = Date.now();
      return false;
    },
    { everyMs: 200, what: "the end of all deletions", progress: () => tasks.output(), stuckMs: 180_000 },
  );
  const addresses = await world.values(`select email ${gone} order by 1`);
  const mails = addresses.map((address) => [address, tasks.mailsTo(address)]);
  expect(mails).toEqual(addresses.map((address) => [address, 1]));
});

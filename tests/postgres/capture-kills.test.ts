import { setTimeout as sleep } from "node:timers/promises";
import { Pool } from "pg";
import { expect, it } from "vitest";
import { chanceOf, seed } from "../seed.ts";
import { captureForTests } from "./capture-world.ts";

const KILLS = Number(process.env.KILLS ?? 12);
const LONGEST_LIFE_MS = 600;
const world = captureForTests();

/** Inserts posts and users and deletes every second user, each in a separate commit, until it is stopped. */
function startWriter(url: string) {
  const pool = new Pool({ connectionString: url, max: 1 });
  pool.on("error", () => {});
  let [running, commits] = [true, 0];
  async function write(): Promise<void> {
    while (running)
      try {
        await pool.query("insert into posts (title, body, author) values ('A title', 'A body', 'Alice')");
        if (commits % 10 === 0)
          await pool.query(
            `insert into users (first_name, last_name, email) values ('A', 'B', gen_random_uuid() || '@x')`,
          );
        if (commits % 20 === 0)
          await pool.query("delete from users where id = (select id from users order by created_at limit 1)");
        commits += 1;
      } catch {
        // The server is down. What was committed is in its tables.
        await sleep(20);
      }
  }
  const written = write();
  return {
    commits: () => commits,
    async stop() {
      running = false;
      await written;
      await pool.end();
    },
  };
}

it(`loses no change and doubles no deletion when capture and the database are killed ${KILLS} times (SEED=${seed})`, async () => {
  const chance = chanceOf(seed);
  // Remembers who was there: a deleted row leaves nothing else behind.
  await world.query(`create table known as select id from users`);
  await world.query(`create function remember() returns trigger language plpgsql as
    $$ begin insert into known values (new.id); return new; end $$`);
  await world.query("create trigger remember after insert on users for each row execute function remember()");
  let capture = world.start();
  await capture.hasLogged("capture.started");
  const writer = startWriter(world.cluster.url);
  for (let kill = 0; kill < KILLS; kill += 1) {
    await sleep(chance() * LONGEST_LIFE_MS);
    if (kill % 3 === 0) await world.killServer();
    else {
      await capture.kill();
      capture = world.start();
      await capture.hasLogged("capture.started");
    }
  }
  await writer.stop();
  await world.caughtUp(capture.output);
  expect(writer.commits()).toBeGreaterThan(1_000);
  const lost =
    "select id from posts p where not exists (select from aftercommit.pending where row_id = p.id::text)";
  expect(await world.values(lost)).toEqual([]);
  const deleted = await world.values(
    "select id from known k where not exists (select from users u where u.id = k.id) order by 1",
  );
  expect(deleted.length).toBeGreaterThan(50);
  expect(await world.values("select row_id from aftercommit.deletions order by row_id::uuid")).toEqual(
    deleted,
  );
});

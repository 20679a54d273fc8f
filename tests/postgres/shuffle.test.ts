import type { Client } from "pg";
import { afterAll, beforeAll, expect, it } from "vitest";
import { connect, type Database, disconnect } from "../../packages/aftercommit/src/db/client.ts";
import { accept } from "../../packages/aftercommit/src/inbox/accept.ts";
import { createNotes, faultsOf, startSession } from "../helpers/inbox/notes.ts";
import { Author } from "../helpers/inbox/shuffle-author.ts";
import { Workers } from "../helpers/inbox/shuffle-workers.ts";
import { type Cluster, startCluster } from "../helpers/own-cluster.ts";
import { chanceOf, seed } from "../helpers/seed.ts";
import { until } from "../helpers/until.ts";

const ROWS = 100;
const EVENTS = 10_000;
const KILLS = 10;
// At most this many messages wait, and one of them is delivered at random.
const WAITING = 300;
const STILL_MS = 15_000;

let cluster: Cluster;
let db: Database;
let watcher: Client;

beforeAll(async () => {
  cluster = await startCluster();
  await createNotes(cluster.url);
  db = connect(cluster.url);
  watcher = await startSession(cluster.url);
});
afterAll(async () => {
  await watcher.end();
  await disconnect();
  await cluster.remove();
});

it("10,000 changes of 100 rows, shuffled, by four workers that are killed, end at the present texts", async () => {
  console.log(`SEED=${seed}`);
  const chance = chanceOf(seed);
  const any = (count: number) => Math.floor(chance() * count);
  // Separate, because the seed does not decide when the provider is asked.
  const killChance = chanceOf(seed + 1);
  const author = new Author(ROWS, chance);
  const workers = new Workers(cluster.url, watcher, () => {
    const most = (author.changes / EVENTS) * KILLS;
    return workers.killed.size < most && killChance() < 0.3;
  });
  await workers.start(["batch", "realtime", "batch", "realtime"]);

  const waiting: number[] = [];
  const figures = { deliveries: 0, delivered: 0, late: 0 };

  /** Delivers some of what waits, in any order; some of it is delivered again later. */
  async function deliver(): Promise<void> {
    const batch = Array.from({ length: Math.min(waiting.length, 1 + any(20)) }, () => {
      const [row = 0] = waiting.splice(any(waiting.length), 1);
      return row;
    });
    waiting.push(...batch.filter(() => chance() < 0.2));
    const queue = batch.length < 5 ? "realtime" : "batch";
    await accept(
      db,
      "note",
      batch.map((row) => ({ rowId: String(row), queue, changedAt: null })),
    );
    if (queue === "realtime") for (const row of batch) workers.tell(String(row), chance());
    figures.deliveries += 1;
    figures.delivered += batch.length;
  }

  const session = await startSession(cluster.url);
  while (author.changes < EVENTS) {
    const rows = Array.from({ length: 1 + any(4) }, () => 1 + any(ROWS));
    await session.query("begin");
    for (const row of rows) await author.change(session, row);
    waiting.push(...rows);
    // Some commits become visible only after their messages have arrived.
    if (chance() < 0.05) {
      figures.late += 1;
      for (let deliveries = any(5); deliveries > 0; deliveries -= 1) await deliver();
    }
    await session.query("commit");
    while (waiting.length > any(WAITING)) await deliver();
  }
  await session.end();
  while (waiting.length > 0) await deliver();

  const pending = async () => Number((await watcher.query("select from aftercommit.pending")).rowCount);
  let [left, since] = [await pending(), Date.now()];
  const isEmpty = async () => {
    const now = await pending();
    if (now !== left) [left, since] = [now, Date.now()];
    // The leases of killed workers last for minutes. If nothing has ended for this long, no one else has a lease.
    if (now > 0 && Date.now() - since > STILL_MS)
      await watcher.query(
        "update aftercommit.pending set next_attempt = clock_timestamp() where lease is not null",
      );
    return now === 0;
  };
  await until(isEmpty, { what: "empty inbox", progress: pending });
  await workers.stop();

  const times = new Map<string, number>();
  for (const text of workers.asks.flatMap(({ texts }) => texts)) times.set(text, (times.get(text) ?? 0) + 1);
  const lostTimes = (text: string) => workers.lost.filter((lost) => lost === text).length;
  console.log(
    JSON.stringify({
      ...figures,
      changes: author.changes,
      killed: workers.killed.size,
      texts: times.size,
      lost: workers.lost.length,
      askedAgain: [...times.values()].filter((asked) => asked > 1).length,
    }),
  );
  expect(await faultsOf(db)).toEqual({ pending: [], wrong: [] });
  // On a busy machine the author is ahead of the workers, so that fewer are asked in time.
  expect(workers.killed.size).toBeGreaterThan(KILLS / 4);
  // A text is requested again only if a killed worker lost its vectors.
  expect([...times].filter(([text, asked]) => asked > 1 + lostTimes(text))).toEqual([]);
  const present = author.rows.flatMap((row) => (row?.published ? [row.body] : []));
  expect(present.filter((text) => !times.has(text))).toEqual([]);
});

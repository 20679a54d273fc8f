import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { until } from "../../tests/helpers/until.ts";
import type { Bench } from "../bench.ts";
import { type Child, startChild } from "../parts/child.ts";
import { productDatabase } from "../parts/product-database.ts";
import { NO_LIMITS } from "../parts/provider.ts";
import { type FreshDatabase, realServer } from "../parts/server.ts";
import { SECRET, type Stack, startStack } from "../parts/stack.ts";
import { listenForPosts } from "../parts/told.ts";
import { Times } from "../report.ts";

const DIMENSIONS = 64;
const BETWEEN_MS = 150;
const WARM_UP = 20;
// The database's own bulk insert has the size of a part of capture.
const PART = 1_000;
const COMMIT = 10;

type Source = { name: string; start: () => Promise<Child> };

const insert = async (client: pg.Pool | pg.Client, posts: number): Promise<string[]> => {
  const { rows } = await client.query<{ id: string }>(
    `insert into posts (title, body, author) select 'A title ' || n, 'A body', 'Bench' from generate_series(1, $1::int) n
     returning id`,
    [posts],
  );
  return rows.map(({ id }) => id);
};

const inInbox = async ({ client }: FreshDatabase): Promise<number> =>
  Number(
    (await client.query("select count(*) from aftercommit.pending where settle_xid is null")).rows[0].count,
  );

/** Commits posts one at a time, while one source brings them. */
async function measureLatency(
  { name, start }: Source,
  { url, client }: FreshDatabase,
  edits: number,
  { times }: Bench,
): Promise<void> {
  const source = await start();
  const posts = await listenForPosts(url);
  const [inbox, visible] = [new Times(), new Times()];
  for (let nth = -WARM_UP; nth < edits; nth += 1) {
    const [id = ""] = await insert(client, 1);
    const committedAt = performance.now();
    await until(() => posts.visibleAt(id), { everyMs: 5, what: `the vector of post ${id}` });
    if (nth >= 0) {
      inbox.add(Math.max(0, (posts.inboxAt(id) ?? 0) - committedAt));
      visible.add((posts.visibleAt(id) ?? 0) - committedAt);
    }
    await sleep(BETWEEN_MS);
  }
  times(`${name}: commit to inbox`, inbox);
  times(`${name}: commit to visible`, visible);
  await posts.end();
  await source.stop();
}

/** Commits posts at an even rate, and counts how many of them are in the inbox at the end of the time. */
async function offer(rate: number, seconds: number, database: FreshDatabase, bench: Bench): Promise<void> {
  const pool = new pg.Pool({ connectionString: database.url, max: 4 });
  const before = await inInbox(database);
  const started = performance.now();
  const commits = (rate * seconds) / COMMIT;
  let next = 0;
  const write = async () => {
    while (next < commits && performance.now() - started < seconds * 1_000) {
      const nth = next;
      next += 1;
      await sleep(Math.max(0, started + (nth * COMMIT * 1_000) / rate - performance.now()));
      await insert(pool, COMMIT);
    }
  };
  await Promise.all(Array.from({ length: 4 }, write));
  await sleep(Math.max(0, started + seconds * 1_000 - performance.now()));
  const stored = (await inInbox(database)) - before;
  bench.figure(
    `${rate} changes/s offered for ${seconds} s: committed`,
    (next * COMMIT) / seconds,
    "changes/s",
  );
  bench.figure(`${rate} changes/s offered for ${seconds} s: in the inbox`, stored / seconds, "changes/s");
  await until(async () => (await inInbox(database)) - before >= next * COMMIT, {
    progress: () => inInbox(database),
    what: "the rest",
  });
  await pool.end();
}

/** Has capture read changes that wait for it, and the database insert the same entries in bulk. */
async function measureLimit(
  changes: number,
  { start }: Source,
  database: FreshDatabase,
  bench: Bench,
): Promise<void> {
  const { client } = database;
  await client.query("truncate aftercommit.pending");
  for (let n = 0; n < changes; n += COMMIT) await insert(client, COMMIT);
  const started = performance.now();
  const capture = await start();
  const startedAt = performance.now();
  await until(async () => (await inInbox(database)) >= changes, {
    everyMs: 50,
    progress: () => inInbox(database),
    what: "all changes in the inbox",
  });
  bench.progress(`capture took ${startedAt - started} ms to start`);
  bench.figure(
    "capture, changes that waited",
    changes / ((performance.now() - startedAt) / 1_000),
    "changes/s",
  );
  await capture.stop();

  await client.query(`create table copied as select row_number() over () as n, entry from aftercommit.pending entry;
    create index on copied (n); truncate aftercommit.pending`);
  const insertedAt = performance.now();
  for (let from = 1; from <= changes; from += PART)
    await client.query(
      "insert into aftercommit.pending select (entry).* from copied where n between $1 and $2",
      [from, from + PART - 1],
    );
  bench.figure(
    "the database's own bulk insert",
    changes / ((performance.now() - insertedAt) / 1_000),
    "rows/s",
  );
}

const sourcesOf = ({ project: { folder }, appUrl }: Stack, { url }: FreshDatabase) => ({
  sequin: {
    name: "the Sequin emulator",
    start: () =>
      startChild(
        process.execPath,
        ["--import", "tsx", "bench/parts/sequin-child.ts", join(folder, "sequin.yaml")],
        {
          cwd: folder,
          env: { NODE_ENV: "production", DATABASE_URL: url, APP_URL: appUrl, SEQUIN_WEBHOOK_SECRET: SECRET },
          ready: /^ready/m,
        },
      ),
  },
  capture: {
    name: "capture",
    start: () =>
      startChild(
        process.execPath,
        ["--import", "tsx", "packages/aftercommit/cli/aftercommit.ts", "capture"],
        {
          cwd: folder,
          ready: /capture\.started/,
        },
      ),
  },
});

/** The sources beside each other on one PostgreSQL 17, with the app, the CLI and the provider. */
export async function run(bench: Bench): Promise<void> {
  const { quick, progress } = bench;
  const [edits, seconds, changes] = quick ? [10, 5, 10_000] : [300, 60, 200_000];
  const database = await productDatabase(await realServer(bench.server), DIMENSIONS);
  const stack = await startStack("product", database, { delayMs: 0, tier: NO_LIMITS, sequin: false });
  const { sequin, capture } = sourcesOf(stack, database);
  try {
    for (const source of [sequin, capture]) {
      progress(`${source.name}: latency`);
      await measureLatency(source, database, edits, bench);
      // The emulator's triggers would go on.
      await database.client.query("drop schema if exists sequin_local cascade");
    }
    await stack.idle();
    await stack.stopTasks();
    const running = await capture.start();
    for (const rate of [1_000, 5_000]) {
      progress(`${rate} changes/s`);
      await offer(rate, seconds, database, bench);
    }
    await running.stop();
    await measureLimit(changes, capture, database, bench);
  } finally {
    await stack.stop();
    await database.drop();
  }
}

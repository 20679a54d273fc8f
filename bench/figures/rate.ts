import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { until } from "../../tests/helpers/until.ts";
import type { Bench } from "../bench.ts";
import { deliver, type Message, messagesOf } from "../parts/deliver.ts";
import { productDatabase } from "../parts/product-database.ts";
import { NO_LIMITS } from "../parts/provider.ts";
import { realServer } from "../parts/server.ts";
import { startStack } from "../parts/stack.ts";
import { connectPatiently, countUpToDate } from "../parts/vectors.ts";
import { Times } from "../report.ts";

const DIMENSIONS = 64;
const CHANGES_A_SECOND = 1_000;
// Sequin closes a batch 5 ms after its first message.
const BATCH = 5;
// The cloud's limit for all API requests of an environment.
const API_REQUESTS_A_MINUTE = 1_500;
const AT_ONCE = 50;
// One in so many deliveries is watched until its first row is visible.
const WATCHED = 10;
const WATCH_MS = 20;

const textOf = (n: number) => `Post ${n} is about the number ${n * 7919}, and about few other things.`;

/** Commits some rows. Resolves with their messages, as if each were the only one of its commit. */
async function change(pool: pg.Pool, nth: number): Promise<Message[]> {
  const titles = Array.from({ length: BATCH }, (_, n) => `Post ${nth * BATCH + n}`);
  const bodies = titles.map((_, n) => textOf(nth * BATCH + n));
  const { rows } = await pool.query<{ id: string }>(
    `insert into posts (title, body, author) select title, body, 'Bench' from unnest($1::text[], $2::text[]) as p(title, body)
     returning id, title, body, author, created_at, updated_at`,
    [titles, bodies],
  );
  return rows.flatMap((row) => messagesOf("insert", [{ ...row, id: Number(row.id) }]));
}

/** Watches rows until they are visible, and records how long after their commits. */
function watch(pool: pg.Pool, lags: Times) {
  const watched = new Map<number, number>();
  let isOpen = true;
  const look = async () => {
    while (isOpen) {
      const { rows } = await pool.query<{ id: string }>(
        "select post_id as id from post_embeddings where post_id = any($1::bigint[])",
        [[...watched.keys()]],
      );
      const now = performance.now();
      for (const id of rows.map((row) => Number(row.id))) {
        lags.add(now - (watched.get(id) ?? now));
        watched.delete(id);
      }
      await sleep(WATCH_MS);
    }
  };
  const looking = look();
  // If something else fails first, the pool ends while this polls.
  looking.catch(() => {});
  return {
    add: (id: number) => void watched.set(id, performance.now()),
    async end() {
      await until(() => watched.size === 0, {
        progress: () => watched.size,
        what: "the watched rows' vectors",
      });
      isOpen = false;
      await looking;
    },
  };
}

/**
 * Makes changes at an even rate, if the app keeps up. Resolves with how many seconds after the first one the last one
 * came.
 */
async function changeEvenly(
  changes: number,
  work: (nth: number) => Promise<void>,
  progress: (line: string) => void,
): Promise<number> {
  const started = performance.now();
  const deliveries = changes / BATCH;
  let next = 0;
  const worker = async () => {
    while (next < deliveries) {
      const nth = next;
      next += 1;
      await sleep(Math.max(0, started + (nth * BATCH * 1_000) / CHANGES_A_SECOND - performance.now()));
      if (nth % 1_000 === 0) progress(`${nth * BATCH} of ${changes} changes`);
      await work(nth);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return (performance.now() - started) / 1_000;
}

/** 1,000 edits a second for a minute, while Trigger.dev answers 25 requests a second. */
export async function run(bench: Bench): Promise<void> {
  const { quick, progress, figure, count, times } = bench;
  const seconds = quick ? 5 : 60;
  const changes = CHANGES_A_SECOND * seconds;
  const database = await productDatabase(quick ? bench.server : await realServer(bench.server), DIMENSIONS);
  const stack = await startStack("product", database, {
    delayMs: 0,
    tier: NO_LIMITS,
    sequin: false,
    requestsPerMinute: API_REQUESTS_A_MINUTE,
  });
  const pool = new pg.Pool({ connectionString: database.url, max: 5 });
  const db = connectPatiently(database.url);
  try {
    // The first run starts a process, and the app's first request loads its code.
    await deliver(stack.appUrl, { data: await change(pool, -1) });
    await until(async () => (await countUpToDate(db)) === BATCH, { everyMs: 100, what: "the first vectors" });
    const before = await stack.apiRequests();

    const [lags, answers] = [new Times(), new Times()];
    let deliveries = 0;
    const watching = watch(pool, lags);
    const started = performance.now();
    const work = async (nth: number) => {
      const data = await change(pool, nth);
      if (nth % WATCHED === 0) watching.add(data[0]?.record.id ?? 0);
      const sent = await answers.measure(() => deliver(stack.appUrl, { data }));
      deliveries += sent;
    };
    const took = await changeEvenly(changes, work, progress);
    figure(`${changes} changes in deliveries of ${BATCH}: accepted`, changes / took, "changes/s");
    figure("deliveries that came again (503)", deliveries - changes / BATCH, "");
    times("answer to a delivery", answers);
    progress("waits for the rest");
    await watching.end();
    const left = async () => {
      const { rows } = await pool.query<{ left: number }>(
        "select count(*)::int as left from aftercommit.pending",
      );
      return rows[0]?.left;
    };
    await until(async () => (await left()) === 0, { everyMs: 100, progress: left, what: "an empty inbox" });
    figure("embedded", changes / ((performance.now() - started) / 1_000), "changes/s");
    times("commit to visible", lags);
    count("posts with the vectors of their texts", await countUpToDate(db), { exactly: changes + BATCH });
    const after = await stack.apiRequests();
    figure("API requests of Trigger.dev", after.requests - before.requests, "");
    count("API requests that Trigger.dev refused", after.refused, { exactly: 0 });
    for (const task of ["create-embedding-for-post", "create-embeddings-for-posts"])
      figure(`runs of ${task}`, await stack.runs(task), "");
  } finally {
    await pool.end();
    await stack.stop();
    await database.drop();
  }
}

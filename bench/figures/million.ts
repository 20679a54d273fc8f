import { setTimeout as sleep } from "node:timers/promises";
import { posts } from "../../aftercommit.config.ts";
import type { Database } from "../../packages/aftercommit/src/db/client.ts";
import { reconcile } from "../../packages/aftercommit/src/embeddings/reconcile.ts";
import { sourceOf } from "../../packages/aftercommit/src/source.ts";
import { until } from "../../tests/helpers/until.ts";
import type { Bench } from "../bench.ts";
import { deliver, messagesOf } from "../parts/deliver.ts";
import { waitForEdit } from "../parts/edit.ts";
import { watchMemory } from "../parts/memory.ts";
import { timePageQueries } from "../parts/page-queries.ts";
import { productDatabase } from "../parts/product-database.ts";
import { NO_LIMITS } from "../parts/provider.ts";
import { type FreshDatabase, realServer } from "../parts/server.ts";
import { type Stack, startStack } from "../parts/stack.ts";
import { connectPatiently, countUpToDate } from "../parts/vectors.ts";
import { Times } from "../report.ts";

const DIMENSIONS = 64;
// The batch size in sequin.yaml.
const BATCH = 500;
const AT_ONCE = 4;
const MOST_RUNS = 100;
const MOST_PAGE_MS = 50;
const MOST_RECONCILE_SECONDS = 10;
const WARM_UP = 10;
// As one person edits: ten a second would be a rush, which the drain processes.
const PAUSE_MS = 100;
const STUCK_MS = 5 * 60_000;
const DRAIN = "create-embeddings-for-posts";

type Run = { bench: Bench; stack: Stack; database: FreshDatabase; db: Database; rows: number };

const titleOf = (n: number) => `Post ${n}`;

async function addRows({ client }: FreshDatabase, rows: number): Promise<void> {
  await client.query(
    `insert into posts (title, body, author)
     select 'Post ' || n, 'Some words about the number ' || n::bigint * 7919 || ', and about few other things.', 'Bench'
     from generate_series(1, $1::int) n`,
    [rows],
  );
  await client.query("vacuum analyze posts");
}

/** Delivers all rows like Sequin's backfill. */
async function backfill({ bench: { progress, figure }, stack, rows }: Run): Promise<void> {
  const started = performance.now();
  let next = 0;
  const worker = async () => {
    while (next < rows) {
      const from = next;
      next += BATCH;
      if (from % 50_000 === 0) progress(`${from} of ${rows} rows delivered`);
      const count = Math.min(BATCH, rows - from);
      const records = Array.from({ length: count }, (_, n) => {
        const id = from + n + 1;
        return { id, title: titleOf(id), body: "Some words.", author: "Bench" };
      });
      await deliver(stack.appUrl, { data: messagesOf("read", records) });
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  figure(
    `${rows} rows in deliveries of ${BATCH}: accepted`,
    (rows / (performance.now() - started)) * 1_000,
    "rows/s",
  );
}

/** Edits posts one after another, until there are `edits` or `isOver`. */
async function edit({ stack, database }: Run, edits: number, isOver = () => false): Promise<Times> {
  const times = new Times();
  const send = (id: string) => deliver(stack.appUrl, messagesOf("update", [{ id: Number(id) }])[0]);
  for (let nth = 0; nth < edits && !isOver(); nth += 1) {
    await sleep(PAUSE_MS);
    times.add(await waitForEdit(database, { nth: nth % 100, deliver: send }));
  }
  return times;
}

async function isPending({ client }: FreshDatabase): Promise<boolean> {
  // Uses the index: from the heap's beginning, it would read all deleted rows.
  const { rowCount } = await client.query(
    `select from aftercommit.pending where source = 'post' and queue = 'batch' and settle_xid is null
     order by next_attempt limit 1`,
  );
  return rowCount === 1;
}

/** An estimate of the rows that have vectors: counting them would take a core. */
async function estimateEmbedded({ client }: FreshDatabase): Promise<number> {
  const { rows } = await client.query<{ rows: string }>(
    "select pg_stat_get_live_tuples('post_embeddings'::regclass) as rows",
  );
  return Number(rows[0]?.rows);
}

/** Measures the page's queries while all rows are pending. */
async function measurePage({ bench: { progress, times, count, quick }, db, rows }: Run): Promise<void> {
  progress("the page's queries");
  for (const [name, took] of await timePageQueries(db)) {
    times(`page with ${rows} pending: ${name}`, took);
    if (!quick)
      count(`page with ${rows} pending: ${name}, p95 in ms`, took.percentile(95), { atMost: MOST_PAGE_MS });
  }
}

/** Processes the inbox, with edits in between. */
async function drainAll(run: Run, idle: Times): Promise<void> {
  const { bench, stack, database, rows } = run;
  const { progress, figure, count, times } = bench;
  await stack.startTasks();
  const started = performance.now();
  // The first runs each start a process; a deployment already has them.
  await edit(run, WARM_UP);
  let isOver = false;
  const embedded = async () => {
    let shown = 0;
    await until(
      async () => {
        if (performance.now() - shown > 5_000) {
          progress(`${await estimateEmbedded(database)} of ${rows} rows embedded`);
          shown = performance.now();
        }
        return !(await isPending(database));
      },
      {
        everyMs: 250,
        progress: () => estimateEmbedded(database),
        stuckMs: STUCK_MS,
        what: "an empty inbox",
      },
    );
    isOver = true;
    return (performance.now() - started) / 1_000;
  };
  const [seconds, meanwhile] = await Promise.all([
    embedded(),
    edit(run, Number.POSITIVE_INFINITY, () => isOver),
  ]);
  figure("embedded", rows / seconds, "rows/s");
  times(`commit of an edit to visible meanwhile (${meanwhile.count} edits)`, meanwhile);
  const multiple = meanwhile.percentile(99) / idle.percentile(99);
  if (bench.quick) figure("its p99 as a multiple of idle", multiple, "");
  else count("its p99 as a multiple of idle", multiple, { atMost: 2 });
}

async function measureReconcile({ bench: { progress, figure, count, quick }, db, rows }: Run): Promise<void> {
  const source = await sourceOf(db, posts);
  for (const full of [false, true]) {
    const name = full ? "reconcile --full" : "reconcile";
    progress(name);
    const started = performance.now();
    const { missing, orphaned } = await reconcile(db, source, { full });
    const seconds = (performance.now() - started) / 1_000;
    count(`${name}: rows to do`, missing + orphaned, { exactly: 0 });
    if (full || quick) figure(`${name} of ${rows} rows`, seconds, "s");
    else count(`${name} of ${rows} rows`, seconds, { atMost: MOST_RECONCILE_SECONDS }, "s");
    figure(name, rows / seconds, "rows/s");
  }
}

async function measure(run: Run): Promise<void> {
  const { bench, stack, database, db, rows } = run;
  const { progress, figure, count, times, quick } = bench;
  const memory = watchMemory(stack.appPid);
  progress("edits while nothing else is done");
  await edit(run, WARM_UP);
  const idle = await edit(run, quick ? 20 : 200);
  times("commit of an edit to visible", idle);

  await stack.stopTasks();
  await backfill(run);
  await measurePage(run);
  await drainAll(run, idle);
  await stack.idle();
  count("rows with the vectors of their texts", await countUpToDate(db), { exactly: rows });
  count(`runs of ${DRAIN}`, await stack.runs(DRAIN), { atMost: MOST_RUNS });
  const { app, worker } = memory.stop();
  figure("app, peak memory", app, "MB");
  figure("largest worker, peak memory", worker, "MB");
  const { rows: size } = await database.client.query<{ bytes: string }>(
    "select pg_total_relation_size('aftercommit.pending') as bytes",
  );
  figure("aftercommit.pending afterwards", Number(size[0]?.bytes) / 2 ** 20, "MiB");
  await measureReconcile(run);
}

/** A million rows through the route, from Sequin's backfill to their vectors, on a real PostgreSQL. */
export async function run(bench: Bench): Promise<void> {
  const rows = bench.quick ? 20_000 : 1_000_000;
  const database = await productDatabase(await realServer(bench.server), DIMENSIONS);
  const db = connectPatiently(database.url);
  try {
    bench.progress(`adds ${rows} rows`);
    await addRows(database, rows);
    const stack = await startStack("product", database, { delayMs: 0, tier: NO_LIMITS, sequin: false });
    try {
      await measure({ bench, stack, database, db, rows });
    } finally {
      await stack.stop();
    }
  } finally {
    await database.drop();
  }
}

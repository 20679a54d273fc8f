import { Hono } from "hono";
import { createConsole } from "../../emulators/console/console.tsx";
import { deliveryPages } from "../../emulators/sequin/console/pages.tsx";
import { openDatabase } from "../../emulators/sequin/tests/database.ts";
import { ok, startReceiver } from "../../emulators/sequin/tests/receiver.ts";
import { startStack } from "../../emulators/sequin/tests/stack.ts";
import { runPages } from "../../emulators/trigger/console/pages.tsx";
import { serve } from "../../emulators/trigger/tests/helpers/serve.ts";
import { Worker } from "../../emulators/trigger/tests/helpers/worker.ts";
import { serve as serveApp } from "../../tests/helpers/serve.ts";
import { until } from "../../tests/helpers/until.ts";
import type { Bench } from "../bench.ts";
import { timePage } from "../parts/time-page.ts";

const RUNS = 1_000;
const DELIVERIES = 10_000;

async function startTrigger() {
  const server = await serve();
  const worker = new Worker(server.url);
  await worker.register([{ id: "create-embedding-for-post" }]);
  for (let count = 0; count < RUNS; count += 1)
    await worker.trigger("create-embedding-for-post", { tags: [`post:${count}`] }, { record: { id: count } });
  return { server, run: await worker.runNext({ status: "embedded" }) };
}

async function startSequin() {
  const database = await openDatabase();
  await database.sql("create table posts (id int primary key, title text, body text)");
  const receiver = await startReceiver();
  receiver.answer = ok;
  const sequin = await startStack({
    databaseUrl: database.url,
    url: receiver.url,
    sinks: [{ name: "posts", source: { include_tables: ["public.posts"] }, status: "paused" }],
  });
  await database.sql(
    "insert into posts select n, 'A title', repeat('Some words of a body. ', 40) from generate_series(1, $1::int) n",
    [DELIVERIES],
  );
  const count = async () => (await sequin.counts()).reduce((sum, row) => sum + row.count, 0);
  await until(async () => (await count()) >= DELIVERIES, {
    everyMs: 500,
    progress: count,
    what: `${DELIVERIES} deliveries`,
  });
  return { database, receiver, sequin };
}

/** The console's pages with 1,000 runs and 10,000 deliveries, one request after another. */
export async function run({ times, progress }: Bench): Promise<void> {
  progress(`${RUNS} runs and ${DELIVERIES} deliveries`);
  const { server, run } = await startTrigger();
  const { database, receiver, sequin } = await startSequin();
  const app = new Hono().get("/nothing", (c) => c.html("<!doctype html><title>Nothing</title>"));
  app.route(
    "/",
    createConsole([runPages(server.trigger), deliveryPages(() => sequin)], () => {}),
  );
  const site = await serveApp([app]);
  const pages = [
    "/nothing",
    "/",
    "/runs",
    "/runs?tag=post:500",
    `/runs/${run}`,
    "/deliveries",
    "/deliveries?status=pending",
    "/deliveries/5000",
  ];
  try {
    for (const path of pages)
      times(path.replace(`${run}`, "…"), await timePage(() => `${site.url}${path}`, { rounds: 40 }));
  } finally {
    await site.close();
    await sequin.close();
    await receiver.close();
    await database.close();
    await server.close();
  }
}

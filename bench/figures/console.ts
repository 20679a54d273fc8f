// How fast the console's pages answer with 1,000 runs and 10,000 deliveries: node --import tsx bench/console.ts
import { Hono } from "hono";
import { createConsole } from "../local/console/console.tsx";
import { openDatabase } from "../tests/local/sequin/database.ts";
import { ok, startReceiver } from "../tests/local/sequin/receiver.ts";
import { startStack } from "../tests/local/sequin/stack.ts";
import { serve } from "../tests/local/trigger/helpers/serve.ts";
import { Worker } from "../tests/local/trigger/helpers/worker.ts";
import { serve as serveApp } from "../tests/serve.ts";
import { until } from "../tests/until.ts";

const RUNS = 1_000;
const DELIVERIES = 10_000;
const ROUNDS = 40;

const server = await serve();
const worker = new Worker(server.url);
await worker.register([{ id: "create-embedding-for-post" }]);
for (let count = 0; count < RUNS; count += 1)
  await worker.trigger("create-embedding-for-post", { tags: [`post:${count}`] }, { record: { id: count } });
const run = await worker.runNext({ status: "embedded" });

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
await until(async () => (await sequin.counts()).some(({ count }) => count >= DELIVERIES), {
  everyMs: 500,
  what: `${DELIVERIES} deliveries`,
  progress: () => sequin.counts(),
});

const app = new Hono().get("/nothing", (c) => c.html("<!doctype html><title>Nothing</title>"));
app.route(
  "/",
  createConsole({ trigger: server.trigger, sequin: () => sequin }, () => {}),
);
const site = await serveApp(app);

async function time(path: string): Promise<number> {
  const started = performance.now();
  const response = await fetch(`${site.url}${path}`);
  await response.text();
  if (!response.ok) throw new Error(`${path} answered ${response.status}`);
  return performance.now() - started;
}

const paths = [
  "/nothing",
  "/",
  "/runs",
  "/runs?tag=post:500",
  `/runs/${run}`,
  "/deliveries",
  "/deliveries?status=pending",
  "/deliveries/5000",
];
console.log(`${RUNS} runs, ${DELIVERIES} deliveries, ${ROUNDS} requests one after another; milliseconds`);
for (const path of paths) {
  for (let round = 0; round < 5; round += 1) await time(path);
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) times.push(await time(path));
  times.sort((a, b) => a - b);
  const at = (part: number) => (times[Math.floor(part * (times.length - 1))] ?? 0).toFixed(1).padStart(7);
  console.log(`${path.padEnd(34)} median ${at(0.5)}   p95 ${at(0.95)}`);
}

await site.close();
await sequin.close();
await receiver.close();
await database.close();
await server.close();

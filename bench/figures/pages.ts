// How fast the production build's pages answer with 10,000 posts and 1,000 runs: node --import tsx bench/pages.ts
import { rm } from "node:fs/promises";
import { setTimeout } from "node:timers/promises";
import { configure, tasks } from "@trigger.dev/sdk";
import { sql } from "drizzle-orm";
import { migrate } from "drizzle-orm/node-postgres/migrator";
import { connect, disconnect } from "../drizzle/client.ts";
import { recipeOf } from "../lib/embeddings/fingerprint.ts";
import { startOpenAI } from "../local/openai/start.ts";
import { startPostgres } from "../local/postgres/start.ts";
import { buildApp, startApp } from "../tests/browser/production.ts";
import { serve } from "../tests/serve.ts";
import { cloneProject } from "../tests/stack/clone.ts";
import { startTriggerServer } from "../tests/trigger-server.ts";

const POSTS = Number(process.argv[2] ?? 10_000);
const RUNS = Number(process.argv[3] ?? 1_000);
const ROUNDS = 60;
const PASSWORD = "bench";
const MODEL = "text-embedding-3-small";
const SECRET_KEY = "tr_prod_bench";

const folder = cloneProject();
await buildApp(folder);

const postgres = await startPostgres({ dataDir: null, host: "127.0.0.1", port: 0, log: () => {} });
const db = connect(postgres.url);
await migrate(db, { migrationsFolder: "drizzle/migrations" });
await db.execute(sql`drop index post_embeddings_embedding_hnsw`);
await db.execute(sql`insert into posts (title, body, author)
  select 'Post ' || n, repeat('Some words of a body, ' || n || ' of them. ', 40), 'Alice' from generate_series(1, ${POSTS}::int) n`);
// Nine of ten are embedded, some are stale, some pending.
await db.execute(sql`insert into post_embeddings (post_id, chunk, embedding, content_hash, model, tokens)
  select id, 0, vector, case when id % 20 = 0 then 'stale' else
    encode(sha256(convert_to(${recipeOf(MODEL)} || title || E'\n\n' || body, 'UTF8')), 'hex') end, ${MODEL}, 400
  from posts, lateral (select array_agg(sin(id * n))::vector as vector from generate_series(1, 1536) n) as made
  where id % 20 <> 1`);
await db.execute(sql`set maintenance_work_mem = '1GB'`);
await db.execute(
  sql`create index post_embeddings_embedding_hnsw on post_embeddings using hnsw (embedding vector_cosine_ops)`,
);
await db.execute(sql`analyze`);

const trigger = await startTriggerServer(SECRET_KEY);
configure({ baseURL: trigger.url, accessToken: SECRET_KEY });
for (let run = 0; run < RUNS; run += 1)
  await tasks.trigger("create-embedding-for-post", {}, { tags: [`post:${POSTS - run}`] });

const openai = await startOpenAI({ model: "hashing", log: () => {} });
const provider = await serve(openai.app);
const app = await startApp(folder, {
  DATABASE_URL: postgres.url,
  SEQUIN_WEBHOOK_SECRET: "bench",
  TRIGGER_SECRET_KEY: SECRET_KEY,
  TRIGGER_API_URL: trigger.url,
  TRIGGER_PROJECT_REF: "proj_bench",
  USER_DELETION_WEBHOOK_URLS: "none",
  OPENAI_API_KEY: "bench",
  OPENAI_BASE_URL: `${provider.url}/v1`,
  EMBEDDING_MODEL: MODEL,
  DASHBOARD_PASSWORD: PASSWORD,
});

const authorization = `Basic ${Buffer.from(`me:${PASSWORD}`).toString("base64")}`;

async function time(path: string, status: number): Promise<number> {
  const startedAt = performance.now();
  const response = await fetch(app.url + path, { headers: { authorization } });
  await response.text();
  if (response.status !== status) throw new Error(`${path} answered ${response.status}`);
  return performance.now() - startedAt;
}

type Page = [name: string, path: (round: number) => string, status: number, pauseMs?: number];

const pages: Page[] = [
  ["nothing (404)", () => "/nothing", 404],
  ["status, many viewers", () => "/", 200],
  // What viewers share is a second old at most: one viewer's refreshes read it again each time.
  ["status, one viewer", () => "/", 200, 1_500],
  ["search, page, new words", (round) => `/?q=words+${round}`, 200],
  ["search, JSON, new words", (round) => `/api/search?q=other+words+${round}`, 200],
  ["health", () => "/api/health", 200],
];

console.log(`${POSTS} posts, ${RUNS} runs, one request after another, in ms`);
for (const [name, path, status, pauseMs] of pages) {
  await time(path(-1), status);
  const times: number[] = [];
  for (let round = 0; round < (pauseMs ? ROUNDS / 3 : ROUNDS); round += 1) {
    if (pauseMs) await setTimeout(pauseMs);
    times.push(await time(path(round), status));
  }
  times.sort((a, b) => a - b);
  const at = (fraction: number) => (times[Math.floor(times.length * fraction)] ?? 0).toFixed(0).padStart(5);
  console.log(`${name.padEnd(26)} median ${at(0.5)}  95% ${at(0.95)}  worst ${at(0.999)}`);
}

await app.stop();
await provider.close();
await openai.close();
await trigger.close();
await disconnect();
await postgres.close();
await rm(folder, { recursive: true, force: true });

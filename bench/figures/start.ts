// Prints how long it takes from the commit of a post to its visible embedding, in the stack that `npm run dev` starts,
// with the real model: node --import tsx bench/embedding.ts [posts]
import { rm } from "node:fs/promises";
import pg from "pg";
import { cloneProject } from "../tests/stack/clone.ts";
import { choosePorts, DevStack } from "../tests/stack/dev-stack.ts";
import { everyPostEmbedded } from "../tests/stack/embeddings.ts";
import { until } from "../tests/until.ts";

const count = Number(process.argv[2] ?? 50);
const folder = cloneProject();
const stack = new DevStack(folder, await choosePorts());
const from = performance.now();
await stack.ready();
console.log(`npm run dev is ready in ${((performance.now() - from) / 1000).toFixed(1)} s`);
await everyPostEmbedded(stack);
console.log(`the sample posts are embedded after ${((performance.now() - from) / 1000).toFixed(1)} s`);

const client = new pg.Client({ connectionString: stack.databaseUrl });
await client.connect();

async function timeOne(n: number): Promise<number> {
  const { rows } = await client.query<{ id: string }>(
    "insert into posts (title, body, author) values ($1, $2, 'Bench') returning id",
    [`Post ${n}`, "A handful of words about nothing in particular, long enough to be a paragraph."],
  );
  const committed = performance.now();
  await until(
    async () => {
      const embedded = await client.query("select from post_embeddings where post_id = $1", [rows[0]?.id]);
      return embedded.rowCount;
    },
    { everyMs: 5, what: "the embedding" },
  );
  return performance.now() - committed;
}

for (let n = 0; n < 5; n += 1) await timeOne(n);
const times: number[] = [];
for (let n = 0; n < count; n += 1) times.push(await timeOne(n));
times.sort((a, b) => a - b);
const quantile = (q: number) => times[Math.floor(times.length * q)]?.toFixed(0);
console.log(
  `commit to visible embedding: p50 ${quantile(0.5)} ms, p95 ${quantile(0.95)} ms (${count} posts)`,
);

await client.end();
await stack.interrupt();
await rm(folder, { recursive: true, force: true });
process.exit(0);

import type { Bench } from "../bench.ts";
import { embedAll } from "../parts/embed-all.ts";
import { exhaustLimits } from "../parts/exhaust-limits.ts";
import { guideDatabase } from "../parts/guide-database.ts";
import { addPosts, productDatabase } from "../parts/product-database.ts";
import { TIERS, type Tier } from "../parts/provider.ts";
import type { FreshDatabase } from "../parts/server.ts";
import { startStack } from "../parts/stack.ts";

// A real provider takes about this long per request.
const DELAY_MS = 100;
// However many posts there are: a run drains the inbox until nothing is due.
const MOST_RUNS = 10;

/** Posts per second with the guide's route and task, without any tier's limit. */
async function measureGuide({ server, progress, figure }: Bench): Promise<number> {
  const posts = 200;
  const database = await guideDatabase(server);
  const stack = await startStack("guide", database, { delayMs: DELAY_MS });
  try {
    await stack.unseen(() => addPosts(database, 0, posts));
    const { seconds, runs, calls } = await embedAll(stack, database, {
      posts,
      progress: (line) => progress(`guide, ${line}`),
    });
    figure(`guide, ${posts} posts: rate`, posts / seconds, "posts/s");
    figure(`guide, ${posts} posts: runs`, runs, "");
    figure(`guide, ${posts} posts: calls`, calls, "");
    return posts / seconds;
  } finally {
    await stack.stop();
    await database.drop();
  }
}

/** Posts per second that the database itself writes in one statement, with the same indexes. */
async function upsertRate({ client }: FreshDatabase): Promise<number> {
  await client.query("create temp table kept as select * from post_embeddings");
  await client.query("truncate post_embeddings");
  const started = performance.now();
  const { rowCount } = await client.query(
    `insert into post_embeddings select * from kept on conflict (post_id, model_id, chunk) do update
     set text_hash = excluded.text_hash, embedding = excluded.embedding`,
  );
  const seconds = (performance.now() - started) / 1_000;
  await client.query("drop table kept");
  return (rowCount ?? 0) / seconds;
}

async function measureTier(tier: Tier, guideRate: number | undefined, bench: Bench): Promise<void> {
  const { server, quick, progress, figure, count } = bench;
  const database = await productDatabase(server);
  const stack = await startStack("product", database, { tier, delayMs: DELAY_MS });
  let from = 0;
  try {
    for (const posts of quick ? [200] : [2_000, 20_000]) {
      const name = `${tier.name}, ${posts} posts`;
      await stack.unseen(async () => {
        await database.client.query("truncate posts, post_embeddings");
        await addPosts(database, from, posts);
      });
      from += posts;
      await exhaustLimits(stack.provider, database, tier);
      const done = await embedAll(stack, database, {
        posts,
        progress: (line) => progress(`${tier.name}, ${line}`),
      });
      const rate = posts / done.seconds;
      const most = ((tier.tokensPerMinute / 60) * posts) / done.tokens;
      const upserts = await upsertRate(database);
      figure(`${name}: rate`, rate, "posts/s");
      figure(`${name}: tokens`, done.tokens, "");
      figure(`${name}: the tier's limit`, most, "posts/s");
      figure(`${name}: the database's bulk upsert`, upserts, "posts/s");
      figure(`${name}: share of the limit`, (rate / Math.min(most, upserts)) * 100, "%");
      if (guideRate !== undefined) figure(`${name}: times the guide's rate`, rate / guideRate, "");
      figure(`${name}: refused for now (429)`, done.failures, "calls");
      count(`${name}: runs`, done.runs, { atMost: MOST_RUNS });
      count(`${name}: calls that were answered`, done.calls - done.failures, {
        atMost: Math.max(3, (posts * 30) / 2_000),
      });
      count(`${name}: texts sent`, done.inputs, { exactly: posts });
    }
  } finally {
    await stack.stop();
    await database.drop();
  }
}

export async function run(bench: Bench): Promise<void> {
  // No count depends on it, and CI has little time.
  const guideRate = bench.quick ? undefined : await measureGuide(bench);
  for (const tier of bench.quick ? TIERS.slice(-1) : TIERS) await measureTier(tier, guideRate, bench);
}

import type { Bench } from "../bench.ts";
import { embedAll } from "../parts/embed-all.ts";
import { addPosts, productDatabase } from "../parts/product-database.ts";
import type { FreshDatabase } from "../parts/server.ts";
import { type Stack, startStack } from "../parts/stack.ts";
import { connectPatiently, countUpToDate } from "../parts/vectors.ts";

const FAILING = 3;

/** Reconciles everything, and returns what the provider was asked for. */
async function reconcile(stack: Stack) {
  const before = await stack.provider.stats();
  await stack.reconcile();
  await stack.idle();
  const after = await stack.provider.stats();
  return { calls: after.calls - before.calls, inputs: after.inputs - before.inputs };
}

async function countFailed({ client }: FreshDatabase): Promise<number> {
  const { rows } = await client.query<{ count: number }>(
    "select count(*)::int as count from aftercommit.pending where error is not null",
  );
  return rows[0]?.count ?? 0;
}

/** One in a hundred vectors is missing, or belongs to another text; then three texts fail among all. */
export async function run({ server, quick, progress, count }: Bench): Promise<void> {
  const posts = quick ? 400 : 2_000;
  const database = await productDatabase(server);
  const stack = await startStack("product", database, { delayMs: 0 });
  const { client, url } = database;
  const db = connectPatiently(url);
  try {
    await stack.unseen(() => addPosts(database, 0, posts));
    await embedAll(stack, database, { posts, progress });

    progress("damages 1 % of the vectors");
    await client.query("delete from post_embeddings where post_id % 200 = 7");
    await client.query("update post_embeddings set text_hash = gen_random_uuid() where post_id % 200 = 107");
    const healed = await reconcile(stack);
    const damaged = `1 % of ${posts} vectors damaged`;
    count(`${damaged}: texts sent`, healed.inputs, { exactly: posts / 100 });
    count(`${damaged}: posts that are up to date then`, await countUpToDate(db), { exactly: posts });

    progress("embeds all again");
    await client.query("delete from post_embeddings");
    const all = await reconcile(stack);
    progress(`embeds all again, ${FAILING} of them failing`);
    await stack.unseen(async () => {
      await client.query(
        "update posts set body = 'poison ' || body where id in (select id from posts order by md5(id::text) limit $1)",
        [FAILING],
      );
      await client.query("delete from post_embeddings");
    });
    await stack.provider.refuse("poison");
    const others = await reconcile(stack);
    const failing = `${FAILING} of ${posts} texts refused by name`;
    count(`${failing}: posts that are up to date then`, await countUpToDate(db), {
      exactly: posts - FAILING,
    });
    count(`${failing}: recorded`, await countFailed(database), { exactly: FAILING });
    count(`${failing}: calls more`, others.calls - all.calls, { atMost: 20 });
  } finally {
    await stack.stop();
    await database.drop();
  }
}

import type { Bench } from "../bench.ts";
import { embedAll } from "../parts/embed-all.ts";
import { addPosts, productDatabase } from "../parts/product-database.ts";
import type { FreshDatabase } from "../parts/server.ts";
import { type Stack, startStack } from "../parts/stack.ts";

const REFUSED = 3;

/** Has the scheduled task put everything right, and tells what the provider was asked for that. */
async function reconcile(stack: Stack) {
  const before = await stack.provider.stats();
  await stack.reconcile();
  const after = await stack.provider.stats();
  return { calls: after.calls - before.calls, inputs: after.inputs - before.inputs };
}

async function countOf({ client }: FreshDatabase, condition: string): Promise<number> {
  const { rows } = await client.query<{ count: number }>(`select count(*)::int as count from ${condition}`);
  return rows[0]?.count ?? 0;
}

const CURRENT = "posts p join post_embeddings e on e.post_id = p.id and e.text_hash = p.text_hash";

/** One of a hundred vectors is gone, or that of another text; then three texts are refused among all. */
export async function run({ server, quick, progress, count }: Bench): Promise<void> {
  const posts = quick ? 400 : 2_000;
  const database = await productDatabase(server);
  const stack = await startStack("product", database, { delayMs: 0 });
  const { client } = database;
  try {
    await stack.unseen(() => addPosts(database, 0, posts));
    await embedAll(stack, database, { posts, progress });

    progress("damages 1 % of the vectors");
    await client.query("delete from post_embeddings where post_id % 200 = 7");
    await client.query("update post_embeddings set text_hash = gen_random_uuid() where post_id % 200 = 107");
    const healed = await reconcile(stack);
    count(`1 % of ${posts} vectors damaged: texts sent`, healed.inputs, { exactly: posts / 100 });
    count(`1 % of ${posts} vectors damaged: posts that are current then`, await countOf(database, CURRENT), {
      exactly: posts,
    });

    progress("embeds all again");
    await client.query("delete from post_embeddings");
    const all = await reconcile(stack);
    progress(`embeds all again, ${REFUSED} of them refused`);
    await stack.unseen(async () => {
      await client.query(
        "update posts set body = 'poison ' || body where id in (select id from posts order by md5(id::text) limit $1)",
        [REFUSED],
      );
      await client.query("delete from post_embeddings");
    });
    await stack.provider.refuse("poison");
    const others = await reconcile(stack);
    count(
      `${REFUSED} of ${posts} texts refused by name: posts that are current then`,
      await countOf(database, CURRENT),
      {
        exactly: posts - REFUSED,
      },
    );
    count(
      `${REFUSED} of ${posts} texts refused by name: recorded`,
      await countOf(database, "embedding_failures"),
      {
        exactly: REFUSED,
      },
    );
    count(`${REFUSED} of ${posts} texts refused by name: calls more`, others.calls - all.calls, {
      atMost: 20,
    });
  } finally {
    await stack.stop();
    await database.drop();
  }
}

import type { Bench } from "../bench.ts";
import { deliver, messagesOf, recordsOf } from "../parts/deliver.ts";
import { waitForEdit } from "../parts/edit.ts";
import { embedAll } from "../parts/embed-all.ts";
import { addPosts, productDatabase } from "../parts/product-database.ts";
import type { FreshDatabase } from "../parts/server.ts";
import { type Stack, startStack } from "../parts/stack.ts";

const BATCH = 100;

/** Counts provider requests and runs from the start of some work until all its runs have ended. */
async function during(stack: Stack, work: () => Promise<void>): Promise<{ calls: number; runs: number }> {
  const [{ calls }, runs] = [await stack.provider.stats(), await stack.runs()];
  await work();
  await stack.idle();
  return { calls: (await stack.provider.stats()).calls - calls, runs: (await stack.runs()) - runs };
}

/** Updates columns other than the text of all posts, and waits for an edit that was committed afterwards. */
async function updateOthers(database: FreshDatabase): Promise<void> {
  await database.client.query("update posts set author = author || '!'");
  // Sequin delivers everything committed earlier at the same time, so the second edit arrives after all of it.
  for (let edit = 0; edit < 2; edit += 1) await waitForEdit(database, { nth: edit + 1 });
}

export async function run({ server, quick, progress, count }: Bench): Promise<void> {
  const posts = quick ? 200 : 2_000;
  const database = await productDatabase(server);
  const stack = await startStack("product", database, { delayMs: 0 });
  try {
    await stack.unseen(() => addPosts(database, 0, posts));
    await embedAll(stack, database, { posts, progress });
    const messages = messagesOf("insert", await recordsOf(database));
    const send = async () => {
      for (let from = 0; from < messages.length; from += BATCH)
        await deliver(stack.appUrl, { data: messages.slice(from, from + BATCH) });
    };
    for (const what of ["messages about embedded posts", "redeliveries"]) {
      progress(what);
      const done = await during(stack, send);
      count(`${posts} ${what}: calls`, done.calls, { exactly: 0 });
      count(`${posts} ${what}: runs`, done.runs, { atMost: posts / BATCH });
    }
    progress("updates other columns");
    const others = await during(stack, () => updateOthers(database));
    count(`${posts} updates of other columns, and 2 edits: calls`, others.calls, { exactly: 2 });
    count(`${posts} updates of other columns, and 2 edits: runs`, others.runs, { exactly: 2 });
  } finally {
    await stack.stop();
    await database.drop();
  }
}

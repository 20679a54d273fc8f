import { setTimeout as sleep } from "node:timers/promises";
import type { Bench } from "../bench.ts";
import { deliver, messagesOf, recordsOf } from "../parts/deliver.ts";
import { addPosts, productDatabase } from "../parts/product-database.ts";
import { startStack } from "../parts/stack.ts";

const BATCH = 100;
const AT_ONCE = 10;
// More edits than this are a rush, which the drain processes. It ends after a while.
const WITH_RUNS = 50;
const RUSH_MS = 15_000;

/** How many of the works finish per second, ten at a time. */
async function rate(works: readonly (() => Promise<unknown>)[]): Promise<number> {
  const queue = works.values();
  const started = performance.now();
  const worker = async () => {
    for (const work of queue) await work();
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return (works.length / (performance.now() - started)) * 1_000;
}

export async function run({ server, quick, progress, figure }: Bench): Promise<void> {
  const posts = quick ? 100 : 2_000;
  const database = await productDatabase(server);
  const stack = await startStack("product", database, { delayMs: 0, sequin: false });
  try {
    // This measures how fast a delivery is accepted, not how it is processed.
    await stack.stopTasks();
    await addPosts(database, 0, posts);
    const records = await recordsOf(database);
    const edits = () => records.flatMap((record) => messagesOf("update", [record]));
    const send = (body: unknown, path?: string) => () => deliver(stack.appUrl, body, path);
    await rate(
      edits()
        .slice(0, 100)
        .map((edit) => send(edit, "/api/nothing")),
    );
    await rate(
      edits()
        .slice(0, 100)
        .map((edit) => send(edit)),
    );

    progress("a route that only reads the body");
    figure(
      "a route that only reads the body",
      await rate(edits().map((edit) => send(edit, "/api/nothing"))),
      "requests/s",
    );
    progress("one edit a request");
    await sleep(RUSH_MS);
    const [first, then] = [edits().slice(0, WITH_RUNS), edits()];
    figure("one edit a request, with its run", await rate(first.map((edit) => send(edit))), "requests/s");
    figure("one edit a request, in a rush", await rate(then.map((edit) => send(edit))), "requests/s");
    progress("batches of 100");
    const batches = Array.from({ length: (5 * posts) / BATCH }, (_, n) => {
      const from = (n * BATCH) % posts;
      return messagesOf("update", records.slice(from, from + BATCH));
    });
    figure(`batches of ${BATCH}`, (await rate(batches.map((data) => send({ data })))) * BATCH, "messages/s");
  } finally {
    await stack.stop();
    await database.drop();
  }
}

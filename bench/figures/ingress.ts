import type { Bench } from "../bench.ts";
import { deliver, insertsOf, type Message } from "../parts/deliver.ts";
import { addPosts, productDatabase } from "../parts/product-database.ts";
import { startStack } from "../parts/stack.ts";

const BATCH = 100;
const AT_ONCE = 10;

/** How many of the works are done in a second, ten at a time. */
async function rate(works: readonly (() => Promise<void>)[]): Promise<number> {
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
  const stack = await startStack("product", database, { delayMs: 0 });
  try {
    // What is measured is that a delivery is accepted, not what becomes of it.
    await stack.stopTasks();
    await stack.unseen(() => addPosts(database, 0, posts));
    const warm = await insertsOf(database, "warm");
    await rate(warm.slice(0, 100).map((message) => () => deliver(stack.appUrl, message, "/api/nothing")));
    await rate(warm.slice(0, 100).map((message) => () => deliver(stack.appUrl, message)));

    progress("a route that only reads the body");
    const messages = await insertsOf(database, "single");
    figure(
      "a route that only reads the body",
      await rate(messages.map((message) => () => deliver(stack.appUrl, message, "/api/nothing"))),
      "requests/s",
    );
    progress("one message a request");
    figure(
      "one message a request",
      await rate(messages.map((message) => () => deliver(stack.appUrl, message))),
      "requests/s",
    );
    progress("batches of 100");
    const many: Message[] = [];
    for (const prefix of ["a", "b", "c", "d", "e"]) many.push(...(await insertsOf(database, prefix)));
    const batches = Array.from({ length: many.length / BATCH }, (_, n) =>
      many.slice(n * BATCH, (n + 1) * BATCH),
    );
    figure(
      `batches of ${BATCH}`,
      (await rate(batches.map((data) => () => deliver(stack.appUrl, { data })))) * BATCH,
      "messages/s",
    );
  } finally {
    await stack.stop();
    await database.drop();
  }
}

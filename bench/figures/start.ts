import { rm } from "node:fs/promises";
import { z } from "zod";
import { cloneProject } from "../../tests/helpers/clone.ts";
import { choosePorts, DevStack } from "../../tests/helpers/stack/dev-stack.ts";
import { everyPostEmbedded } from "../../tests/helpers/stack/embeddings.ts";
import { openRuns } from "../../tests/helpers/stack/open-runs.ts";
import { until } from "../../tests/helpers/until.ts";
import type { Bench } from "../bench.ts";
import { Times } from "../report.ts";

const POSTS = 50;
const WARM_UP = 5;

async function addPost(stack: DevStack, nth: number): Promise<number> {
  const [post] = await stack.query<{ id: string }>(
    "insert into posts (title, body, author) values ($1, $2, 'Bench') returning id",
    [`Post ${nth}`, "A handful of words about nothing in particular, long enough to be a paragraph."],
  );
  const committed = performance.now();
  await until(
    async () => (await stack.query("select from post_embeddings where post_id = $1", [post?.id])).length > 0,
    { everyMs: 5, what: "the embedding" },
  );
  return performance.now() - committed;
}

async function callsOf({ ports }: DevStack): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${ports.http}/local/openai/stats`);
  return z.object({ calls: z.number() }).parse(await response.json()).calls;
}

/** The stack that `npm run dev` starts, with PGlite and the real model. */
export async function run({ quick, figure, count, times, progress }: Bench): Promise<void> {
  const folder = cloneProject();
  const variables: Record<string, string> = quick ? { LOCAL_EMBEDDING_MODEL: "hashing" } : {};
  const stack = new DevStack(folder, await choosePorts(), variables);
  try {
    const started = performance.now();
    const seconds = () => (performance.now() - started) / 1_000;
    await stack.ready();
    figure("npm run dev to its ready line", seconds(), "s");
    await everyPostEmbedded(stack);
    figure("npm run dev to the embeddings of all sample posts", seconds(), "s");
    await until(async () => (await openRuns(stack)) === 0, { everyMs: 200, what: "the end of all runs" });
    const posts = (await stack.query("select from posts")).length;
    count(`npm run dev: calls for ${posts} sample posts`, await callsOf(stack), { atMost: posts });
    if (quick) return;
    progress("adds posts");
    const took = new Times();
    for (let nth = 0; nth < WARM_UP; nth += 1) await addPost(stack, nth);
    for (let nth = 0; nth < POSTS; nth += 1) took.add(await addPost(stack, nth));
    times("commit of a post to its visible embedding, real model", took);
  } finally {
    await stack.interrupt();
    await rm(folder, { recursive: true, force: true });
  }
}

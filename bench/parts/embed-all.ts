import { until } from "../../tests/helpers/until.ts";
import type { Stats } from "./provider.ts";
import type { FreshDatabase } from "./server.ts";
import type { Stack } from "./stack.ts";

export type Embedded = Pick<Stats, "calls" | "inputs" | "tokens" | "failures"> & {
  seconds: number;
  runs: number;
};

async function countVectors({ client }: Pick<FreshDatabase, "client">): Promise<number> {
  const { rows } = await client.query<{ count: number }>(
    "select count(*)::int as count from post_embeddings",
  );
  return rows[0]?.count ?? 0;
}

type Expected = { posts: number; progress: (line: string) => void };

/** Resolves when so many posts, with one chunk each, have vectors. */
async function untilEmbedded(
  database: Pick<FreshDatabase, "client">,
  { posts, progress }: Expected,
): Promise<void> {
  let [shown, done] = [0, 0];
  await until(
    async () => {
      done = await countVectors(database);
      if (performance.now() - shown > 2_000) {
        progress(`${done} of ${posts} posts embedded`);
        shown = performance.now();
      }
      return done >= posts;
    },
    { everyMs: 50, progress: () => done, what: `${posts} vectors` },
  );
}

/** Backfills all posts, with one chunk each. Returns what it took from the request to the last visible vector. */
export async function embedAll(stack: Stack, database: FreshDatabase, expected: Expected): Promise<Embedded> {
  const [before, runsBefore] = [await stack.provider.stats(), await stack.runs()];
  const started = performance.now();
  await stack.backfill();
  await untilEmbedded(database, expected);
  const seconds = (performance.now() - started) / 1_000;
  await stack.idle();
  const [after, runs] = [await stack.provider.stats(), await stack.runs()];
  return {
    seconds,
    runs: runs - runsBefore,
    calls: after.calls - before.calls,
    inputs: after.inputs - before.inputs,
    tokens: after.tokens - before.tokens,
    failures: after.failures - before.failures,
  };
}

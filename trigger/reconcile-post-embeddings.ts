import { schedules } from "@trigger.dev/sdk";
import { posts } from "../lib/embeddings/posts.ts";
import { reconcile } from "../lib/embeddings/reconcile.ts";
import { afterError } from "../lib/embeddings/retry.ts";
import { indexWhenComplete } from "../lib/embeddings/vector-index.ts";

/**
 * Triggers bulk runs for the posts whose embedding is missing or stale, whatever the reason: a run that failed or was
 * cancelled, rows older than the sink.
 */
export const reconcilePostEmbeddings = schedules.task({
  id: "reconcile-post-embeddings",
  // Not in development: a laptop that is connected to a database would work on what is others' to do.
  cron: { pattern: "*/10 * * * *", environments: ["PRODUCTION", "STAGING", "PREVIEW"] },
  // One that waits for another finds nothing left to do.
  concurrency: { total: 1 },
  // In seconds: it may build the index of a table that has become large.
  maxDuration: 14_400,
  run: async (_, { ctx }) => {
    // In force within this run only: another attempt triggers nothing twice, the next run starts afresh.
    const done = await reconcile(posts, ctx.run.id);
    return { ...done, indexed: done.rows === 0 && !done.busy && (await indexWhenComplete(posts)) };
  },
  catchError: afterError,
});

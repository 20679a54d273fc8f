import { schedules } from "@trigger.dev/sdk";
import { stalePosts } from "../lib/embeddings/stale-posts.ts";
import { inParallel } from "../lib/in-parallel.ts";
import { createEmbeddingForPost } from "./create-embedding-for-post.ts";

/**
 * Triggers a run for each post whose embedding is missing or stale, whatever the reason: a run that failed or was
 * cancelled, a change of model, rows older than the sink.
 */
export const reconcilePostEmbeddings = schedules.task({
  id: "reconcile-post-embeddings",
  // Not in development: a laptop that is connected to a database would work on what is others' to do.
  cron: { pattern: "*/10 * * * *", environments: ["PRODUCTION", "STAGING", "PREVIEW"] },
  run: async () => {
    let triggered = 0;
    for await (const page of stalePosts()) {
      // One that nothing took until the next reconciliation is triggered again by it: they do not pile up behind an outage.
      // The key is in force within this run only: a retry of it triggers nothing twice, the next one starts afresh.
      await inParallel(page, ({ id, message }) =>
        createEmbeddingForPost.trigger(message, {
          tags: [`post:${id}`],
          ttl: "10m",
          idempotencyKey: [`reconcile-post-embeddings`, String(id)],
        }),
      );
      triggered += page.length;
    }
    return { triggered };
  },
});

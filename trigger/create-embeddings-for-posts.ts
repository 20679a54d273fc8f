import { schemaTask } from "@trigger.dev/sdk";
import { embedMany } from "../lib/embeddings/embed-many.ts";
import { posts, postsSchema } from "../lib/embeddings/posts.ts";
import { afterError, EMBEDDING_RETRY } from "../lib/embeddings/retry.ts";
import { checkEnvironment, REQUIRED_BY_EMBEDDING } from "../lib/env.ts";

/** Makes or renews the embeddings of many posts in few requests: backfills, large transactions, reconciliations. */
export const createEmbeddingsForPosts = schemaTask({
  id: "create-embeddings-for-posts",
  schema: postsSchema,
  // Beside the live lane's ten: a provider's limits are shared through the database, not through these.
  queue: { concurrencyLimit: 3 },
  retry: EMBEDDING_RETRY,
  // In seconds: most of it may be a wait for the provider's limits.
  maxDuration: 1_800,
  run: ({ postIds }) => {
    checkEnvironment(REQUIRED_BY_EMBEDDING);
    return embedMany(posts.of, postIds);
  },
  catchError: afterError,
});

import { schemaTask } from "@trigger.dev/sdk";
import { embedRow } from "../lib/embeddings/embed-row.ts";
import { postChangeSchema } from "../lib/embeddings/embedding-run.ts";
import { posts } from "../lib/embeddings/posts.ts";
import { afterError, EMBEDDING_RETRY } from "../lib/embeddings/retry.ts";
import { checkEnvironment, REQUIRED_BY_EMBEDDING } from "../lib/env.ts";

/** Makes or renews the embeddings of one post, at once: an edit. */
export const createEmbeddingForPost = schemaTask({
  id: "create-embedding-for-post",
  schema: postChangeSchema,
  queue: { concurrencyLimit: 10 },
  retry: EMBEDDING_RETRY,
  run: async ({ postId, changedAt }) => {
    checkEnvironment(REQUIRED_BY_EMBEDDING);
    return { postId, ...(await embedRow(posts.of, postId, changedAt)) };
  },
  catchError: afterError,
});

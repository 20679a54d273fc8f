import { schemaTask } from "@trigger.dev/sdk";
import { classifyError } from "../lib/embeddings/classify-error.ts";
import { embedPost } from "../lib/embeddings/embed-post.ts";
import { postChangeSchema } from "../lib/embeddings/embedding-run.ts";
import { checkEnvironment, REQUIRED_BY_EMBEDDING } from "../lib/env.ts";

/** Makes or renews the embeddings of a post that may have changed. */
export const createEmbeddingForPost = schemaTask({
  id: "create-embedding-for-post",
  schema: postChangeSchema,
  queue: { concurrencyLimit: 10 },
  retry: {
    maxAttempts: 10,
    factor: 2,
    minTimeoutInMs: 1_000,
    maxTimeoutInMs: 60_000,
    randomize: true,
    // A process that is killed is taken for one out of memory, and has no other attempt without a machine for it.
    outOfMemory: { machine: "small-2x" },
  },
  run: async ({ postId }) => {
    checkEnvironment(REQUIRED_BY_EMBEDDING);
    return embedPost(BigInt(postId));
  },
  catchError: async ({ error }) => {
    const verdict = classifyError(error, new Date());
    if (verdict.kind === "abort") return { skipRetrying: true };
    return verdict.kind === "retryAt" ? { retryAt: verdict.at } : undefined;
  },
});

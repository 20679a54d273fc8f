import { z } from "zod";
import { embeddedPosts } from "../../drizzle/embedded-table.ts";
import type { EmbeddedSource } from "./embedded-source.ts";
import type { PostChange } from "./embedding-run.ts";
import { MOST_ROWS_A_RUN } from "./trigger-bulk.ts";

/** What a run about many posts is told. */
export const postsSchema = z.object({ postIds: z.array(z.string()).min(1).max(MOST_ROWS_A_RUN) });

/** How posts are embedded: their table, and the tasks of both lanes. */
export const posts: EmbeddedSource = {
  of: embeddedPosts,
  live: {
    task: "create-embedding-for-post",
    payload: (postId, changedAt): PostChange => ({ postId, changedAt }),
  },
  bulk: {
    task: "create-embeddings-for-posts",
    payload: (postIds): z.infer<typeof postsSchema> => ({ postIds: [...postIds] }),
  },
  tag: "post",
};

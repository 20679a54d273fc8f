import { embeddedPosts } from "../../drizzle/embedded-table.ts";
import type { EmbeddedSource } from "./embedded-source.ts";

/** How posts are embedded: their table, and the tasks of both lanes. */
export const posts: EmbeddedSource = {
  of: embeddedPosts,
  live: "create-embedding-for-post",
  bulk: "create-embeddings-for-posts",
  tag: "post",
};

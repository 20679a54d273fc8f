import { embeddedPosts } from "../../drizzle/embedded-table.ts";
import { embeddedSource } from "./embedded-source.ts";

/** How posts are embedded. */
export const posts = embeddedSource({
  of: embeddedPosts,
  row: "post",
  live: "create-embedding-for-post",
  bulk: "create-embeddings-for-posts",
});

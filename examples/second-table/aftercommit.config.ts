import { defineEmbedding } from "aftercommit";

export const posts = defineEmbedding({
  row: "post",
  table: "public.posts",
  key: "id",
  text: ["title", "body"],
  columns: ["title"],
});

/** Spam is never sent to the provider, and never found. */
export const comments = defineEmbedding({
  row: "comment",
  table: "public.comments",
  key: "id",
  text: "body",
  where: "not spam",
  columns: ["post_id"],
});

import { defineEmbedding } from "aftercommit";

export const posts = defineEmbedding({
  row: "post",
  table: "public.posts",
  key: "id",
  text: ["title", "body"],
  columns: ["title"],
});

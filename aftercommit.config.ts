import { defineDeletion, defineEmbedding } from "aftercommit";

/** Posts are embedded for semantic search. */
export const posts = defineEmbedding({
  row: "post",
  table: "public.posts",
  key: "id",
  text: ["title", "body"],
  columns: ["title", "author"],
  filters: ["author", "created_at"],
  minScore: 0.4,
});

/** Deleted users are cleaned up in external systems and confirmed by e-mail. */
export const users = defineDeletion({ row: "user", table: "public.users", key: "id", email: "email" });

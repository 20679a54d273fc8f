import { defineEmbedding } from "aftercommit";

/** Names as Prisma writes them: case matters, and `where` is SQL, so names in it are quoted. */
export const posts = defineEmbedding({
  row: "post",
  table: "public.Post",
  key: "id",
  text: ["title", "content"],
  where: '"published"',
  columns: ["title", "authorId"],
});

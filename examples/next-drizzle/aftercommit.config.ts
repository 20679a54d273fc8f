import { defineEmbedding } from "aftercommit";

/** Drafts are not embedded. An article that is unpublished is no longer found. */
export const articles = defineEmbedding({
  row: "article",
  table: "public.articles",
  key: "id",
  text: ["title", "body"],
  where: "published_at is not null",
  columns: ["title"],
});

import { defineEmbedding, voyage } from "aftercommit";

/** Needs VOYAGE_API_KEY in the app, which embeds queries, and in the tasks. */
export const posts = defineEmbedding({
  row: "post",
  table: "public.posts",
  key: "id",
  text: ["title", "body"],
  columns: ["title"],
  providers: [voyage({ baseURL: process.env.VOYAGE_BASE_URL })],
});

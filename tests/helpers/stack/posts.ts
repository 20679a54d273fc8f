import type { DevStack } from "./dev-stack.ts";

type Embedding = { chunk: number; text_hash: string; updated_at: Date; dimensions: number };

export const embeddingsOfPost = (stack: DevStack, id: string) =>
  stack.query<Embedding>(
    "select chunk, text_hash, updated_at, vector_dims(embedding) as dimensions from post_embeddings where post_id = $1",
    [id],
  );

export async function idOfPost(stack: DevStack, title: string): Promise<string> {
  const [row] = await stack.query<{ id: string }>("select id from posts where title = $1", [title]);
  if (!row) throw new Error(`no post ${title}`);
  return row.id;
}

export async function countPosts(stack: DevStack): Promise<number> {
  const [row] = await stack.query<{ count: number }>("select count(*)::int from posts");
  return row?.count ?? 0;
}

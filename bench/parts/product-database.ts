import { migrateDatabase } from "../../drizzle/migrate/migrate.ts";
import type { FreshDatabase, Server } from "./server.ts";
import { postOf } from "./texts.ts";

export const MODEL = "text-embedding-3-small";

/** A database of the present schema whose vectors have so many dimensions. */
export async function productDatabase(server: Server, dimensions = 1_536): Promise<FreshDatabase> {
  const database = await server.fresh();
  await migrateDatabase({ url: database.url, model: { name: MODEL, dimensions, recipe: 1 } });
  return database;
}

const PAGE = 1_000;

/**
 * Adds posts that no trigger sees, as rows that were there before the sink. `hashed` where the table keeps the hash of
 * the text, which a trigger would have filled in.
 */
export async function addPosts(
  { client }: FreshDatabase,
  { from, count, hashed }: { from: number; count: number; hashed: boolean },
): Promise<void> {
  await client.query("set session_replication_role = replica");
  for (let start = from; start < from + count; start += PAGE) {
    const posts = Array.from({ length: Math.min(PAGE, from + count - start) }, (_, n) => postOf(start + n));
    const columns = [posts.map(({ title }) => title), posts.map(({ body }) => body)];
    await client.query(
      hashed
        ? `insert into posts (title, body, author, text_hash)
           select title, body, 'Bench', embedding_text_hash(title || E'\\n\\n' || body) from unnest($1::text[], $2::text[]) as p(title, body)`
        : "insert into posts (title, body, author) select title, body, 'Bench' from unnest($1::text[], $2::text[]) as p(title, body)",
      columns,
    );
  }
  await client.query("reset session_replication_role");
}

/** Removes all posts and their vectors, unseen as well. */
export async function removePosts({ client }: FreshDatabase): Promise<void> {
  await client.query("set session_replication_role = replica");
  await client.query("truncate posts, post_embeddings");
  await client.query("reset session_replication_role");
}

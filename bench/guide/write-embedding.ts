import pg from "pg";

/** Writes a post's embedding through a new connection. */
export async function writeEmbedding(id: number, embedding: number[]): Promise<void> {
  const client = new pg.Client({ connectionString: process.env.DATABASE_URL });
  await client.connect();
  try {
    await client.query(
      "insert into post_embeddings (id, embedding) values ($1, $2) on conflict (id) do update set embedding = excluded.embedding",
      [id, JSON.stringify(embedding)],
    );
  } finally {
    await client.end();
  }
}

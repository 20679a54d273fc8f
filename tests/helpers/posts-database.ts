import { eq, sql } from "drizzle-orm";
import { afterAll, beforeAll } from "vitest";
import { posts } from "../../drizzle/schema.ts";
import { connect, type Database, disconnect } from "../../packages/aftercommit/src/db/client.ts";
import { startMigratedPostgres } from "./postgres.ts";
import { FIRST_MODEL } from "./postgres-template.ts";

type StoredEmbedding = {
  postId: string;
  modelId: number;
  chunk: number;
  chunks: number;
  textHash: string;
  start: number;
  length: number;
  tokens: number;
  embedding: number[] | null;
  changedAt: Date | null;
  updatedAt: Date;
};

type Row = Omit<StoredEmbedding, "embedding" | "changedAt" | "updatedAt"> & {
  embedding: string | null;
  changedAt: string | null;
  updatedAt: string;
};

async function storedEmbeddings(db: Database, postId: bigint): Promise<StoredEmbedding[]> {
  const { rows } = await db.execute<Row>(sql`
    select post_id::text as "postId", model_id as "modelId", chunk, chunks, text_hash as "textHash", start, length, tokens,
      embedding::text, changed_at as "changedAt", updated_at as "updatedAt"
    from public.post_embeddings where post_id = ${postId} order by model_id, chunk`);
  return rows.map((row) => ({
    ...row,
    embedding: row.embedding === null ? null : JSON.parse(row.embedding),
    changedAt: row.changedAt === null ? null : new Date(row.changedAt),
    updatedAt: new Date(row.updatedAt),
  }));
}

/** One migrated database for the tests of a file, with the given model. DATABASE_URL names it. */
export function databaseForTests(model = FIRST_MODEL) {
  let postgres: Awaited<ReturnType<typeof startMigratedPostgres>>;
  let db: Database;
  const before = process.env.DATABASE_URL;

  beforeAll(async () => {
    postgres = await startMigratedPostgres();
    process.env.DATABASE_URL = postgres.url;
    db = connect(postgres.url);
    const { name, dimensions, chunker } = model;
    await db.execute(
      sql`update aftercommit.models set name = ${name}, dimensions = ${dimensions}, chunker = ${chunker}`,
    );
  });
  afterAll(async () => {
    if (before === undefined) delete process.env.DATABASE_URL;
    else process.env.DATABASE_URL = before;
    await disconnect();
    await postgres.close();
  });

  return {
    get db() {
      return db;
    },
    async insertPost(post: { title?: string; body?: string; id?: bigint } = {}): Promise<bigint> {
      const [row] = await db
        .insert(posts)
        .values({ title: "The Future of AI", body: "It is bright.", author: "Alice", ...post })
        .returning({ id: posts.id });
      if (!row) throw new Error("The post was not inserted");
      return row.id;
    },
    updatePost: (id: bigint, set: { title?: string; body?: string; author?: string }) =>
      db.update(posts).set(set).where(eq(posts.id, id)),
    deletePost: (id: bigint) => db.delete(posts).where(eq(posts.id, id)),
    embeddingsOf: (id: bigint) => storedEmbeddings(db, id),
  };
}

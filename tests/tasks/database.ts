import { eq } from "drizzle-orm";
import { afterAll, beforeAll } from "vitest";
import { connect, type Database, disconnect } from "../../drizzle/client.ts";
import { embeddingModels, postEmbeddings } from "../../drizzle/embedding-tables.ts";
import { posts } from "../../drizzle/schema.ts";
import { startMigratedPostgres } from "../postgres.ts";
import { FIRST_MODEL } from "../postgres-template.ts";

/** One migrated database for the tests of a file, whose vectors are of a model; DATABASE_URL names it. */
export function databaseForTests(model = FIRST_MODEL) {
  let postgres: Awaited<ReturnType<typeof startMigratedPostgres>>;
  let db: Database;
  const before = process.env.DATABASE_URL;

  beforeAll(async () => {
    postgres = await startMigratedPostgres();
    process.env.DATABASE_URL = postgres.url;
    db = connect(postgres.url);
    await db.update(embeddingModels).set(model);
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
    embeddingsOf: (id: bigint) =>
      db
        .select()
        .from(postEmbeddings)
        .where(eq(postEmbeddings.postId, id))
        .orderBy(postEmbeddings.modelId, postEmbeddings.chunk),
  };
}

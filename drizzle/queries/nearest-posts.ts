import { cosineDistance, eq, type SQL, sql } from "drizzle-orm";
import type { Database } from "../client.ts";
import { postEmbeddings, posts } from "../schema.ts";

const MAX_CHUNKS = 3_200;

type Query = { vector: number[]; model: string; limit: number };

/** A post and the one of its chunks that is nearest to the vector; `distance` is the cosine distance, from 0 to 2. */
export type NearestPost = {
  id: bigint;
  title: string;
  body: string;
  author: string;
  chunk: number;
  contentHash: string;
  distance: number;
};

/** The best chunk of each post among the nearest `chunks`, and how many there were. The index gives those, in order. */
export function nearestPostsQuery(
  db: Pick<Database, "$with" | "select" | "selectDistinctOn" | "with">,
  { vector, model, limit }: Query,
  chunks: number,
) {
  const distance: SQL<number> = sql`${cosineDistance(postEmbeddings.embedding, vector)}`.mapWith(Number);
  const nearest = db.$with("nearest").as(
    db
      .select({
        postId: postEmbeddings.postId,
        chunk: postEmbeddings.chunk,
        contentHash: postEmbeddings.contentHash,
        distance: distance.as("distance"),
      })
      .from(postEmbeddings)
      .where(eq(postEmbeddings.model, model))
      .orderBy(distance)
      .limit(chunks),
  );
  const best = db
    .selectDistinctOn([nearest.postId])
    .from(nearest)
    .orderBy(nearest.postId, nearest.distance)
    .as("best");
  return db
    .with(nearest)
    .select({
      id: posts.id,
      title: posts.title,
      body: posts.body,
      author: posts.author,
      chunk: best.chunk,
      contentHash: best.contentHash,
      distance: best.distance,
      looked: sql<number>`(select count(*)::int from ${nearest})`,
    })
    .from(best)
    .innerJoin(posts, eq(posts.id, best.postId))
    .orderBy(best.distance, best.postId)
    .limit(limit);
}

/**
 * Has the rest of a transaction take the nearest vectors from the index, and as many as are asked for: without
 * iteration it gives at most ef_search, fewer where a filter drops some (pgvector 0.8). The planner does not count
 * what it costs to fetch a vector of 6 kB from beside the table, and would rather look at all of them.
 */
export async function searchByIndex(tx: Pick<Database, "execute">): Promise<void> {
  await tx.execute(sql`select set_config('enable_seqscan', 'off', true),
    set_config('hnsw.ef_search', '100', true), set_config('hnsw.iterative_scan', 'strict_order', true)`);
}

/** The posts with the nearest chunks of a model, nearest first. */
export async function findNearestPosts(db: Database, query: Query): Promise<NearestPost[]> {
  return db.transaction(async (tx) => {
    await searchByIndex(tx);
    // The nearest chunks may all be of a few long posts: then look further.
    for (let chunks = query.limit * 4; ; chunks *= 4) {
      const found = await nearestPostsQuery(tx, query, chunks);
      const all = (found[0]?.looked ?? 0) < chunks;
      if (found.length === query.limit || all || chunks >= MAX_CHUNKS)
        return found.map(({ looked: _, ...post }) => post);
    }
  });
}

import { desc, inArray, type SQL, sql } from "drizzle-orm";
import type { Database } from "../client.ts";
import { postEmbeddings } from "../embedding-tables.ts";
import { posts } from "../schema.ts";

/** How a post's vectors stand to its text: `pending` has none yet, `empty` needs none, `stale` has those of another. */
export type PostState = "embedded" | "pending" | "stale" | "empty";

export type PostWithState = {
  id: bigint;
  title: string;
  author: string;
  updatedAt: Date;
  state: PostState;
  chunks: number;
  /** When the present vectors were written. */
  embeddedAt: Date | null;
  /** When the change was committed that they answer; null where they come from a backfill. */
  changedAt: Date | null;
};

type Which = { ids: readonly bigint[] } | { latest: number };

/** Posts with their states by a model: those of some ids, or those that changed last; the last changed first. */
export async function findPostsWithState(
  db: Database,
  modelId: number,
  which: Which,
): Promise<PostWithState[]> {
  const { postId, textHash, chunks, updatedAt, changedAt } = postEmbeddings;
  const of = <T>(text: SQL, as: string) => sql<T>`${text}`.as(as);
  const stored = db
    .select({
      found: of<number>(sql`count(*)::int`, "found"),
      complete: of<boolean>(
        sql`count(*) = max(${chunks}) and bool_and(${textHash} = ${posts.textHash})`,
        "complete",
      ),
      embeddedAt: sql<Date | null>`max(${updatedAt})`.mapWith(updatedAt).as("embedded_at"),
      changedAt: sql<Date | null>`max(${changedAt})`.mapWith(changedAt).as("changed_at"),
    })
    .from(postEmbeddings)
    .where(sql`${postId} = ${posts.id} and ${postEmbeddings.modelId} = ${modelId}`)
    .as("stored");
  const query = db
    .select({
      id: posts.id,
      title: posts.title,
      author: posts.author,
      updatedAt: posts.updatedAt,
      state: sql<PostState>`case
        when ${stored.found} = 0 then case when ${posts.textHash} is null then 'empty' else 'pending' end
        when ${posts.textHash} is not null and ${stored.complete} then 'embedded' else 'stale' end`,
      chunks: stored.found,
      embeddedAt: stored.embeddedAt,
      changedAt: stored.changedAt,
    })
    .from(posts)
    .leftJoinLateral(stored, sql`true`)
    .orderBy(desc(posts.updatedAt), desc(posts.id))
    .$dynamic();
  const rows = await ("ids" in which
    ? query.where(inArray(posts.id, [...which.ids]))
    : query.limit(which.latest));
  return rows.map((row) => ({ ...row, chunks: row.chunks ?? 0 }));
}

/** Titles and authors of some posts. */
export async function findPostsByIds(db: Database, ids: readonly bigint[]) {
  return db
    .select({ id: posts.id, title: posts.title, author: posts.author })
    .from(posts)
    .where(inArray(posts.id, [...ids]));
}

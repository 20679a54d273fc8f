import { and, asc, eq, gt, gte, type SQL, sql } from "drizzle-orm";
import type { Database } from "../client.ts";
import { postEmbeddings, posts } from "../schema.ts";

/** One vector of a post: `tokens` are those of the chunk's text. */
export type Chunk = { embedding: number[]; tokens: number };

/** What a vector was made from: see {@link hashOf} for `recipe`. */
export type Fingerprint = { recipe: string; contentHash: string };

/** The same hash as lib/embeddings/fingerprint.ts makes, so that one query finds what is stale. */
export const hashOf = (recipe: string): SQL =>
  sql`encode(sha256(convert_to(${recipe}::text || ${posts.title} || E'\n\n' || ${posts.body}, 'UTF8')), 'hex')`;

// JavaScript's `\s`; what Postgres calls space depends on its locale.
const WHITE_SPACE = String.raw`\t-\r \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff`;
/** Whether there is anything to embed. */
export const hasText = sql`(${posts.title} || ${posts.body}) ~ ${`[^${WHITE_SPACE}]`}`;

/** A post and the hashes of its stored vectors, or undefined when the row is gone. */
export async function readPost(db: Database, id: bigint) {
  const [post] = await db
    .select({
      title: posts.title,
      body: posts.body,
      stored: sql<string[]>`array(select distinct ${postEmbeddings.contentHash} from ${postEmbeddings}
        where ${postEmbeddings.postId} = ${posts.id})`,
    })
    .from(posts)
    .where(eq(posts.id, id));
  return post;
}

/**
 * Replaces all vectors of a post, if the row still has the text that they were made from.
 * `superseded`: it has another text by now, and that change brings a run of its own.
 */
export async function replaceEmbeddings(
  db: Database,
  { id, model, chunks, recipe, contentHash }: Fingerprint & { id: bigint; model: string; chunks: Chunk[] },
): Promise<"written" | "superseded" | "gone"> {
  return db.transaction(async (tx) => {
    // The lock keeps the text as it is until the commit: no update slips in between the check and the write.
    const [post] = await tx
      .select({ hash: sql<string>`${hashOf(recipe)}` })
      .from(posts)
      .where(eq(posts.id, id))
      .for("no key update");
    if (!post) return "gone";
    if (post.hash !== contentHash) return "superseded";
    await tx
      .delete(postEmbeddings)
      .where(and(eq(postEmbeddings.postId, id), gte(postEmbeddings.chunk, chunks.length)));
    const rows = chunks.map((chunk, index) => ({ postId: id, chunk: index, contentHash, model, ...chunk }));
    for (let start = 0; start < rows.length; start += 100)
      await tx
        .insert(postEmbeddings)
        .values(rows.slice(start, start + 100))
        .onConflictDoUpdate({
          target: [postEmbeddings.postId, postEmbeddings.chunk],
          set: {
            embedding: sql`excluded.embedding`,
            contentHash: sql`excluded.content_hash`,
            model: sql`excluded.model`,
            tokens: sql`excluded.tokens`,
            updatedAt: sql`now()`,
          },
        });
    return "written";
  });
}

/** The next ids, in order, of posts whose vectors are missing or were made from another text or recipe. */
export async function findStalePosts(
  db: Database,
  { recipe, after, limit }: { recipe: string; after: bigint | undefined; limit: number },
): Promise<bigint[]> {
  const stored = (comparison: SQL) => sql`exists (select from ${postEmbeddings}
    where ${postEmbeddings.postId} = ${posts.id} and ${postEmbeddings.contentHash} ${comparison})`;
  const missing = sql`(${hasText} and not ${stored(sql`= ${hashOf(recipe)}`)})`;
  const stale = stored(sql`<> ${hashOf(recipe)}`);
  const rows = await db
    .select({ id: posts.id })
    .from(posts)
    .where(and(after === undefined ? undefined : gt(posts.id, after), sql`(${missing} or ${stale})`))
    .orderBy(asc(posts.id))
    .limit(limit);
  return rows.map((row) => row.id);
}

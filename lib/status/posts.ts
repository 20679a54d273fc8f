import type { Database } from "../../drizzle/client.ts";
import { type FailedRow, findFailedRows } from "../../drizzle/queries/embeddings/failures.ts";
import type { EmbeddingModel } from "../../drizzle/queries/embeddings/models.ts";
import {
  findPostsWithState,
  type PostState,
  type PostWithState,
} from "../../drizzle/queries/posts-on-page.ts";
import { posts } from "../embeddings/posts.ts";

const SHOWN = 12;

/** `failure`: the provider's words about the post's present text, and when it is tried again. */
export type PostOnPage = Omit<PostWithState, "id" | "state"> & {
  id: string;
  /** What its runs are tagged with. */
  tag: string;
  state: PostState | "failed";
  failure: Pick<FailedRow, "error" | "tries" | "nextTry"> | undefined;
};

function shown(post: PostWithState, failures: ReadonlyMap<string, FailedRow>): PostOnPage {
  const id = String(post.id);
  const failure = failures.get(id);
  return { ...post, id, tag: posts.tagOf(id), state: failure ? "failed" : post.state, failure };
}

/** The posts to show: those that the provider refused, then those that changed last. */
export async function postsOnPage(db: Database, { id: modelId }: EmbeddingModel): Promise<PostOnPage[]> {
  const [latest, failures] = await Promise.all([
    findPostsWithState(db, modelId, { latest: SHOWN }),
    findFailedRows(db, posts.of, modelId, SHOWN),
  ]);
  const byId = new Map(failures.map((failure) => [failure.id, failure]));
  const ids = failures.map(({ id }) => BigInt(id));
  const failed = ids.length > 0 ? await findPostsWithState(db, modelId, { ids }) : [];
  const others = latest.filter(({ id }) => !byId.has(String(id)));
  return [...failed, ...others].slice(0, SHOWN).map((post) => shown(post, byId));
}

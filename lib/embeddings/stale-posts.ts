import { connect, type Database } from "../../drizzle/client.ts";
import { findStalePosts } from "../../drizzle/queries/post-embeddings.ts";
import { required } from "../env.ts";
import { recipeOf } from "./fingerprint.ts";
import { embeddingModel } from "./provider.ts";

const PAGE = 500;

/** Finds every post whose vectors are missing or stale, 500 at a time. Each page is one query. */
export async function* stalePosts(
  db: Database = connect(required("DATABASE_URL")),
): AsyncGenerator<bigint[]> {
  const recipe = recipeOf(embeddingModel());
  let after: bigint | undefined;
  for (;;) {
    const ids = await findStalePosts(db, { recipe, after, limit: PAGE });
    if (ids.length === 0) return;
    yield ids;
    after = ids.at(-1);
  }
}

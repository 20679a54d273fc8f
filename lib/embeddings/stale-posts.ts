import { connect, type Database } from "../../drizzle/client.ts";
import { findStalePosts } from "../../drizzle/queries/post-embeddings.ts";
import { required } from "../env.ts";
import type { SequinMessage } from "../sequin/message.ts";
import { recipeOf } from "./fingerprint.ts";
import { embeddingModel } from "./provider.ts";

const PAGE = 500;

function readMessage(id: bigint): SequinMessage {
  const metadata = { table_schema: "public", table_name: "posts", record_pks: [String(id)] };
  return { action: "read", record: { id: String(id) }, changes: null, metadata };
}

/**
 * Finds every post whose vectors are missing or stale, 500 at a time, as messages like those of a backfill.
 * Each page is one query.
 */
export async function* stalePosts(
  db: Database = connect(required("DATABASE_URL")),
): AsyncGenerator<{ id: bigint; message: SequinMessage }[]> {
  const recipe = recipeOf(embeddingModel());
  let after: bigint | undefined;
  for (;;) {
    const ids = await findStalePosts(db, { recipe, after, limit: PAGE });
    if (ids.length === 0) return;
    yield ids.map((id) => ({ id, message: readMessage(id) }));
    after = ids.at(-1);
  }
}

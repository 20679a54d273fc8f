import type { Database } from "../../drizzle/client.ts";
import { withLongConnection } from "../../drizzle/long-connection.ts";
import { readCounts } from "../../drizzle/queries/embeddings/counts.ts";
import { buildVectorIndex, hasVectorIndex } from "../../drizzle/queries/embeddings/vector-index.ts";
import { database } from "../database.ts";
import { required } from "../env.ts";
import { log } from "../log.ts";
import type { EmbeddedSource } from "./embedded-source.ts";
import { modelsInUse } from "./models-in-use.ts";

// Below, a search that looks at every vector takes milliseconds, and an index would only make writing slower.
const WORTH_AN_INDEX = 5_000;

/**
 * Builds the vector index of the active model when a table has grown large enough and all its rows are embedded: one
 * that is there during a backfill makes each write wait for it. Builds without a lock. True when it was built.
 */
export async function indexWhenComplete(
  source: EmbeddedSource,
  { db = database() }: { db?: Database } = {},
): Promise<boolean> {
  const { active } = await modelsInUse(db);
  const counted = await readCounts(db, source.of, active.id);
  if (!counted || counted.counts.embedded < WORTH_AN_INDEX || counted.counts.pending > 0) return false;
  const table = source.of.embeddingsName;
  return withLongConnection(required("DATABASE_URL"), async (client) => {
    if (await hasVectorIndex(client, table, active)) return false;
    log("info", "embedding.index_build_started", { table, model: active.name });
    await buildVectorIndex(client, { ...active, table });
    log("info", "embedding.index_built", { table, model: active.name });
    return true;
  });
}

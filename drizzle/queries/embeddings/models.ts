import { sql } from "drizzle-orm";
import type { Database } from "../../client.ts";
import { embeddingModels } from "../../embedding-tables.ts";

/** A generation of vectors: which model made them, how wide they are, and what its index casts to. */
export type EmbeddingModel = typeof embeddingModels.$inferSelect;

/** The models that rows are embedded by now: the active one first, then one that is being built. */
export async function readModelsInUse(db: Database): Promise<EmbeddingModel[]> {
  return db
    .select()
    .from(embeddingModels)
    .where(sql`${embeddingModels.state} <> 'retired'`)
    .orderBy(embeddingModels.state);
}

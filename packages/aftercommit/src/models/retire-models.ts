import { sql } from "drizzle-orm";
import type { Database } from "../db/client.ts";
import { tableSql } from "../db/identifiers.ts";
import { withLongConnection } from "../db/long-connection.ts";
import type { EmbeddingSource } from "../source.ts";
import { readModels } from "./models.ts";
import { dropVectorIndex } from "./vector-index.ts";

const DELETED_AT_ONCE = 5_000;

/** Deletes the vectors of all retired models, their indexes, and the models. Resolves with their names. */
export async function retireModels(
  db: Database,
  sources: readonly EmbeddingSource[],
  { url, onProgress = () => {} }: { url: string; onProgress?: (vectors: number) => void },
): Promise<string[]> {
  const retired = (await readModels(db)).filter(({ state }) => state === "retired");
  for (const model of retired) {
    for (const { declaration } of sources) {
      await withLongConnection(url, (client) => dropVectorIndex(client, declaration.embeddings, model));
      const embeddings = tableSql(declaration.embeddings);
      for (;;) {
        const { rowCount } = await db.execute(sql`delete from ${embeddings} where ctid in (
          select ctid from ${embeddings} where model_id = ${model.id} limit ${DELETED_AT_ONCE})`);
        if (!rowCount) break;
        onProgress(rowCount);
      }
    }
    await db.execute(sql`delete from aftercommit.models where id = ${model.id} and state = 'retired'`);
  }
  return retired.map(({ name }) => name);
}

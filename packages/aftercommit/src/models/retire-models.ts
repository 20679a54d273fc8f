import { sql } from "drizzle-orm";
import type { Database } from "../db/client.ts";
import { type TableName, tableSql } from "../db/identifiers.ts";
import { withLongConnection } from "../db/long-connection.ts";
import { readModels } from "./models.ts";
import { dropVectorIndex } from "./vector-index.ts";

const DELETED_AT_ONCE = 5_000;

/** Every table of vectors, also of a table that is not declared any more: what refers to a model keeps it. */
async function readEmbeddingsTables(db: Database): Promise<TableName[]> {
  const { rows } = await db.execute<TableName>(sql`
    select n.nspname as schema, c.relname as name from pg_constraint k
    join pg_class c on c.oid = k.conrelid join pg_namespace n on n.oid = c.relnamespace
    where k.contype = 'f' and k.confrelid = 'aftercommit.models'::regclass order by 1, 2`);
  return rows;
}

/** Deletes the vectors of all retired models, their indexes, and the models. Resolves with their names. */
export async function retireModels(
  db: Database,
  { url, onProgress = () => {} }: { url: string; onProgress?: (vectors: number) => void },
): Promise<string[]> {
  const retired = (await readModels(db)).filter(({ state }) => state === "retired");
  const tables = await readEmbeddingsTables(db);
  for (const model of retired) {
    for (const table of tables) {
      await withLongConnection(url, (client) => dropVectorIndex(client, table, model));
      const embeddings = tableSql(table);
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

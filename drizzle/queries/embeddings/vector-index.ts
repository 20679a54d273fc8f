import { setTimeout as sleep } from "node:timers/promises";
import { type SQL, sql } from "drizzle-orm";
import type { Client } from "pg";
import type { EmbeddingModel } from "./models.ts";

type Indexed = Pick<EmbeddingModel, "id" | "dimensions" | "indexType">;

/** What a model's vectors are compared as: the expression of its index. */
export const indexedVector = ({ dimensions, indexType }: Indexed, vector: SQL) =>
  sql`${vector}::${sql.raw(`${indexType}(${dimensions})`)}`;

const nameOf = (table: string, { id }: Pick<Indexed, "id">) => `${table}_model_${id}`;

const BUILD_POLL_MS = 1_000;

/**
 * Builds an index without locking its table. One that an interrupted build left behind, which no query uses, is built
 * again; but where the server goes on with it, since it does not notice that its client was killed, its end is awaited.
 */
export async function createIndexConcurrently(
  client: Pick<Client, "query">,
  name: string,
  definition: string,
): Promise<void> {
  for (;;) {
    // Asked again and again: whoever waits for the lock holds a snapshot, and the build waits for the end of that.
    const { rows } = await client.query<{ valid: boolean; growing: boolean }>(
      `select indisvalid as valid, exists (
         select from pg_stat_progress_create_index p where p.index_relid = i.indexrelid) as growing
       from pg_index i where indexrelid = to_regclass($1)`,
      [name],
    );
    const [found] = rows;
    if (found?.valid) return;
    if (!found?.growing) {
      if (found) await client.query(`drop index concurrently ${name}`);
      break;
    }
    await sleep(BUILD_POLL_MS);
  }
  await client.query(`create index concurrently ${name} on ${definition}`);
}

/**
 * Builds the HNSW index of a model's vectors. Partial, one a model, as pgvector's manual recommends: 1.7 to 2.2 ms a
 * vector of 1,536 dimensions.
 */
export async function buildVectorIndex(
  client: Pick<Client, "query">,
  { table, namedAfter = table, ...model }: Indexed & { table: string; namedAfter?: string },
): Promise<void> {
  const { id, dimensions, indexType } = model;
  await client.query("set maintenance_work_mem = '512MB'");
  await createIndexConcurrently(
    client,
    nameOf(namedAfter, model),
    `${table} using hnsw ((embedding::${indexType}(${dimensions})) ${indexType}_cosine_ops) where model_id = ${id}`,
  );
}

/** True when the index of a model's vectors is there and complete. */
export async function hasVectorIndex(
  client: Pick<Client, "query">,
  table: string,
  model: Pick<Indexed, "id">,
): Promise<boolean> {
  const { rows } = await client.query<{ valid: boolean }>(
    "select indisvalid as valid from pg_index where indexrelid = to_regclass($1)",
    [nameOf(table, model)],
  );
  return rows[0]?.valid ?? false;
}

/** Drops the index of a model's vectors, without locking their table. */
export async function dropVectorIndex(
  client: Pick<Client, "query">,
  table: string,
  model: Pick<Indexed, "id">,
): Promise<void> {
  await client.query(`drop index concurrently if exists ${nameOf(table, model)}`);
}

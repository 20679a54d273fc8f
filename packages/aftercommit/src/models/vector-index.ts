import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { type SQL, sql } from "drizzle-orm";
import type { Client } from "pg";
import { quoted, quotedColumn, type TableName } from "../db/identifiers.ts";
import type { Queries } from "../source.ts";
import type { Model } from "./models.ts";

type Indexed = Pick<Model, "id" | "dimensions" | "indexType">;

/** The expression of a model's index, which queries compare its vectors as. */
export const indexedVector = ({ dimensions, indexType }: Indexed, vector: SQL) =>
  sql`${vector}::${sql.raw(`${indexType}(${dimensions})`)}`;

// Postgres truncates names at 63 bytes, and the model's id must stay.
const MOST_BYTES = 45;

function nameOf({ name }: TableName, { id }: Pick<Indexed, "id">): string {
  const isShort = Buffer.byteLength(name) <= MOST_BYTES;
  return `${isShort ? name : createHash("md5").update(name).digest("hex")}_model_${id}`;
}

const BUILD_POLL_MS = 1_000;
// With more vectors than this, searching without the index is noticeably slower.
const WORTH_AN_INDEX = 5_000;
const MAINTENANCE_MB = 512;

/** True if a model has enough vectors for an index and no complete one. Reads no more vectors than that. */
export async function needsVectorIndex(
  db: Queries,
  table: TableName,
  { id }: Pick<Indexed, "id">,
): Promise<boolean> {
  const { rows } = await db.execute<{ needed: boolean }>(sql`
    select not exists (select from pg_index where indexrelid = to_regclass(${qualified(table, { id })}) and indisvalid
        and indrelid = to_regclass(${quoted(table)}))
      and (select count(*) from (select from ${sql.raw(quoted(table))} where model_id = ${id} and embedding is not null
        limit ${WORTH_AN_INDEX}) v) >= ${WORTH_AN_INDEX} as needed`);
  return rows[0]?.needed ?? false;
}

const qualified = (table: TableName, model: Pick<Indexed, "id">) =>
  `${quotedColumn(table.schema)}.${quotedColumn(nameOf(table, model))}`;

/**
 * Builds the HNSW index of a model's vectors without locking their table. One partial index per model, as pgvector's
 * manual recommends: 1.7 to 2.2 ms per vector of 1,536 dimensions. An invalid index that an interrupted build left
 * behind is built again. If the server is still building it, because it does not notice that its client was killed,
 * this waits for it to finish.
 */
export async function buildVectorIndex(
  client: Pick<Client, "query">,
  table: TableName,
  model: Indexed,
): Promise<void> {
  const { id, dimensions, indexType } = model;
  for (;;) {
    // Polls: a session that waits for the lock holds a snapshot, and the build would wait for that snapshot.
    const { rows } = await client.query<{ valid: boolean; growing: boolean }>(
      `select indisvalid as valid, exists (
         select from pg_stat_progress_create_index p where p.index_relid = i.indexrelid) as growing
       from pg_index i where indexrelid = to_regclass($1) and indrelid = to_regclass($2)`,
      [qualified(table, model), quoted(table)],
    );
    const [found] = rows;
    if (found?.valid) return;
    if (!found?.growing) {
      if (found) await dropVectorIndex(client, table, model);
      break;
    }
    await sleep(BUILD_POLL_MS);
  }
  // A higher setting of the server was chosen on purpose.
  await client.query(
    `select set_config('maintenance_work_mem', '${MAINTENANCE_MB}MB', false)
     where pg_size_bytes(current_setting('maintenance_work_mem')) < ${MAINTENANCE_MB * 1024 * 1024}`,
  );
  await client.query(
    `create index concurrently ${quotedColumn(nameOf(table, model))} on ${quoted(table)}
     using hnsw ((embedding::${indexType}(${dimensions})) ${indexType}_cosine_ops) where model_id = ${id}`,
  );
}

/** Drops the index of a model's vectors without locking their table. */
export async function dropVectorIndex(
  client: Pick<Client, "query">,
  table: TableName,
  model: Pick<Indexed, "id">,
): Promise<void> {
  await client.query(`drop index concurrently if exists ${qualified(table, model)}`);
}

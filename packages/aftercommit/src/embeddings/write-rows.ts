import { type SQL, sql } from "drizzle-orm";
import type { Database } from "../db/client.ts";
import { tableSql } from "../db/identifiers.ts";
import { type Ending, endEntries, LeasesLostError } from "../inbox/end-entries.ts";
import type { ModelsInUse } from "../models/models.ts";
import {
  type EmbeddingSource,
  keyTypeSql,
  type Queries,
  requireFingerprint,
  rowIdColumn,
} from "../source.ts";
import type { Passage } from "./passages.ts";
import { vectorParameter } from "./vector-parameter.ts";

export type EmbeddedPassage = Passage & { vector: Float32Array };

/** All vectors of a row's current text by one model. Empty for a blank text, which gets a marker. */
type Vectors = { modelId: number; textHash: string; passages: readonly EmbeddedPassage[] };

/** What to write about one row. `remove`: the row does not exist or is excluded, so all its vectors are deleted. */
export type WrittenRow = {
  ending: Ending;
  changedAt: string | null;
  remove: boolean;
  vectors: readonly Vectors[];
};

/** The set of models in use is no longer the one that these vectors were made for: the rows must be read again. */
export class ModelsChangedError extends Error {
  override readonly name = "ModelsChangedError";
}

// Each vector is an insertion into the index, which may take many milliseconds. In parts, a book stays within
// the statement timeout.
const VECTORS_A_STATEMENT = 25;

/**
 * The switch locks the models FOR UPDATE: while this lock is held, the models in use stay the same. The database may have
 * been migrated since the rows were read: then they stay in the inbox, for the newer deployment.
 */
async function lockModels(
  tx: Queries,
  { declaration, name }: EmbeddingSource,
  { active, building }: ModelsInUse,
): Promise<void> {
  const { rows } = await tx.execute<{ id: number; state: string; fingerprint: string | null }>(sql`
    select id, state, (select fingerprint from aftercommit.sources where name = ${name}) as fingerprint
    from aftercommit.models where state <> 'retired' order by id for share`);
  for (const { fingerprint } of rows.slice(0, 1)) requireFingerprint(declaration, fingerprint);
  const expected = [active, building].filter((model) => model !== undefined);
  const same = expected.every(({ id, state }) => rows.some((row) => row.id === id && row.state === state));
  if (!same || rows.length !== expected.length)
    throw new ModelsChangedError("The models in use have changed");
}

type Flat = Omit<Vectors, "passages"> & { rowId: string; changedAt: string | null; chunks: number };
type Chunk = Flat & { chunk: number; passage: EmbeddedPassage | undefined };

async function insertVectors(
  tx: Queries,
  { declaration, ...source }: EmbeddingSource,
  part: readonly Chunk[],
): Promise<void> {
  const column = (of: (chunk: Chunk) => string | number | null) => sql.param(part.map(of));
  const vectors = part.map(
    ({ passage }, index) =>
      sql`(${sql.raw(String(index + 1))}, ${passage ? vectorParameter(passage.vector) : null}::vector::halfvec)`,
  );
  const rowId = rowIdColumn(declaration);
  await tx.execute(sql`
    insert into ${tableSql(declaration.embeddings)} as e
      (${rowId}, model_id, chunk, chunks, text_hash, start, length, tokens, embedding, changed_at)
    select g.row_id::${keyTypeSql(source)}, g.model_id, g.chunk, g.chunks, g.text_hash, g.start, g.length, g.tokens,
      v.embedding, g.changed_at
    from unnest(${column(({ rowId }) => rowId)}::text[], ${column(({ modelId }) => modelId)}::int[],
      ${column(({ chunk }) => chunk)}::int[], ${column(({ chunks }) => chunks)}::int[],
      ${column(({ textHash }) => textHash)}::uuid[],
      ${column(({ passage }) => passage?.start ?? 0)}::int[], ${column(({ passage }) => passage?.length ?? 0)}::int[],
      ${column(({ passage }) => passage?.tokens ?? 0)}::int[],
      ${column(({ changedAt }) => changedAt)}::timestamptz[]) with ordinality
      as g(row_id, model_id, chunk, chunks, text_hash, start, length, tokens, changed_at, place)
    join (values ${sql.join(vectors, sql`, `)}) as v(place, embedding) on v.place = g.place
    order by g.place
    on conflict (${rowId}, model_id, chunk) do update set chunks = excluded.chunks, text_hash = excluded.text_hash,
      start = excluded.start, length = excluded.length, tokens = excluded.tokens, embedding = excluded.embedding,
      changed_at = excluded.changed_at, updated_at = now()`);
}

async function removeVectors(
  tx: Queries,
  source: EmbeddingSource,
  rows: readonly WrittenRow[],
): Promise<void> {
  const ids = rows.filter(({ remove }) => remove).map(({ ending }) => ending.entry.rowId);
  if (ids.length === 0) return;
  await tx.execute(sql`
    delete from ${tableSql(source.declaration.embeddings)}
    where ${rowIdColumn(source.declaration)} = any(${sql.param(ids)}::${keyTypeSql(source)}[])`);
}

async function replaceVectors(
  tx: Queries,
  source: EmbeddingSource,
  rows: readonly WrittenRow[],
): Promise<void> {
  const flat: Flat[] = [];
  const chunks: Chunk[] = [];
  for (const { ending, changedAt, vectors } of rows)
    for (const { modelId, textHash, passages } of vectors) {
      const of = { rowId: ending.entry.rowId, changedAt, modelId, textHash, chunks: passages.length };
      flat.push(of);
      if (passages.length === 0) chunks.push({ ...of, chunk: 0, passage: undefined });
      for (const [chunk, passage] of passages.entries()) chunks.push({ ...of, chunk, passage });
    }
  if (flat.length === 0) return;
  const column = (of: (item: Flat) => string | number): SQL => sql`${sql.param(flat.map(of))}`;
  // The extra chunks that the row had before. The marker of a blank text is one chunk.
  await tx.execute(sql`
    delete from ${tableSql(source.declaration.embeddings)} e
    using unnest(${column(({ rowId }) => rowId)}::text[], ${column(({ modelId }) => modelId)}::int[],
      ${column(({ chunks }) => Math.max(1, chunks))}::int[]) as g(row_id, model_id, chunks)
    where e.${rowIdColumn(source.declaration)} = g.row_id::${keyTypeSql(source)} and e.model_id = g.model_id
      and e.chunk >= g.chunks`);
  for (let from = 0; from < chunks.length; from += VECTORS_A_STATEMENT)
    await insertVectors(tx, source, chunks.slice(from, from + VECTORS_A_STATEMENT));
}

/**
 * Rule 5: writes the results of some leased rows in one transaction, sorted by key, and ends their entries last, so
 * that no acceptance waits while the vectors are written. Skips a row whose lease another worker has taken. Resolves
 * with what was written. Rejects with ModelsChangedError if the models in use have changed, and with SourceError if
 * another deployment has migrated the database.
 */
export async function writeRows(
  db: Database,
  source: EmbeddingSource,
  { token, models, rows }: { token: string; models: ModelsInUse; rows: readonly WrittenRow[] },
): Promise<WrittenRow[]> {
  let left = rows.toSorted((a, b) => (a.ending.entry.rowId < b.ending.entry.rowId ? -1 : 1));
  while (left.length > 0) {
    try {
      await db.transaction(async (tx) => {
        await lockModels(tx, source, models);
        await removeVectors(tx, source, left);
        await replaceVectors(tx, source, left);
        await endEntries(tx, source.name, { token, endings: left.map(({ ending }) => ending) });
      });
      break;
    } catch (error) {
      if (!(error instanceof LeasesLostError)) throw error;
      left = left.filter(({ ending }) => !error.rowIds.has(ending.entry.rowId));
    }
  }
  return left;
}

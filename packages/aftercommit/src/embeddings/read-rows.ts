import { sql } from "drizzle-orm";
import { tableSql } from "../db/identifiers.ts";
import { isOfOneRow, rootMessageOf } from "../errors.ts";
import type { Leased } from "../inbox/entry.ts";
import type { Model } from "../models/models.ts";
import {
  type EmbeddingSource,
  keyTypeSql,
  type Queries,
  requireFingerprint,
  rowIdColumn,
  rowsSql,
} from "../source.ts";
import { wordsTableSql } from "../words/words-table.ts";

/** A row as it is now. `textHash` is null if the row does not exist, or cannot be read. */
export type PresentRow = {
  entry: Leased;
  state: "text" | "blank" | "excluded" | "absent" | "unreadable";
  /** Why it is unreadable: the declaration's expressions fail on it. */
  error: string | undefined;
  text: string;
  textHash: string | null;
  title: string;
  /** The text search configuration of its words; "" for none. */
  language: string;
  /** False if a committed change may not have been visible yet (rule 4). */
  certain: boolean;
  /** The models that have all vectors of exactly this text. */
  upToDate: ReadonlySet<number>;
  words: "present" | "old" | "none";
};

type Read = {
  rowId: string;
  found: boolean;
  included: boolean | null;
  settled: boolean | null;
  text: string | null;
  textHash: string | null;
  title: string | null;
  language: string | null;
  certain: boolean;
  fingerprint: string | null;
  fits: boolean;
  error?: string;
};

// The most bytes of text that are read together, though at least one row is. 500 short texts are far below that.
const MOST_BYTES = 8 * 2 ** 20;

/**
 * Rule 3: text, `where`, the tuple's xmax, the snapshot's xmin and the fingerprint together, in a statement after the
 * lease. Rule 4: the read is certain if every transaction that was open at the acceptance has ended, or if the tuple's
 * xmax is 0. Leaves out the rows after the first {@link MOST_BYTES}. Rejects with SourceError if another deployment has
 * migrated the database.
 */
async function readTogether(
  db: Queries,
  source: EmbeddingSource,
  entries: readonly Leased[],
): Promise<Read[]> {
  const ids = sql.param(entries.map(({ rowId }) => rowId));
  const xids = sql.param(entries.map(({ acceptedXid }) => acceptedXid));
  // The offset keeps the planner from evaluating the expressions on rows that are not read: they may fail there.
  const row = sql`select * from ${rowsSql(source.declaration)} r where r.id = g.id::${keyTypeSql(source)} offset 0`;
  const fits = sql`coalesce(sum(octet_length(r.text)) over before, 0) < ${sql.raw(String(MOST_BYTES))}`;
  const { rows } = await db.execute<Read>(sql`
    select g.id as "rowId", r.id is not null as found, r.included, r.settled, r.language, ${fits} as fits,
      case when ${fits} then r.text end as text, case when ${fits} then r.text_hash end as "textHash",
      case when ${fits} then r.title end as title,
      pg_snapshot_xmin(pg_current_snapshot()) >= g.xid::xid8 as certain,
      (select fingerprint from aftercommit.sources where name = ${source.name}) as fingerprint
    from unnest(${ids}::text[], ${xids}::text[]) with ordinality as g(id, xid, place)
    left join lateral (${row}) r on true
    window before as (order by g.place rows between unbounded preceding and 1 preceding)`);
  for (const { fingerprint } of rows.slice(0, 1)) requireFingerprint(source.declaration, fingerprint);
  return rows.filter(({ fits }) => fits);
}

/** Reads a row on which an expression may fail. What fails does not say whether it was certain, so that is read before. */
async function readAlone(db: Queries, source: EmbeddingSource, entry: Leased): Promise<Read[]> {
  const { rows } = await db.execute<{ certain: boolean }>(
    sql`select pg_snapshot_xmin(pg_current_snapshot()) >= ${entry.acceptedXid}::xid8 as certain`,
  );
  try {
    return await readTogether(db, source, [entry]);
  } catch (error) {
    if (!isOfOneRow(error)) throw error;
    const nothing = {
      included: null,
      settled: null,
      text: null,
      textHash: null,
      title: null,
      language: null,
    };
    const of = { rowId: entry.rowId, certain: rows[0]?.certain ?? false, error: rootMessageOf(error) };
    return [{ ...nothing, ...of, found: true, fingerprint: null, fits: true }];
  }
}

/** If an expression fails on one of the rows, reads only the first half, until the row at fault is alone. */
async function readPresent(
  db: Queries,
  source: EmbeddingSource,
  entries: readonly Leased[],
): Promise<Read[]> {
  try {
    return await readTogether(db, source, entries);
  } catch (error) {
    const [entry] = entries;
    if (!entry || !isOfOneRow(error)) throw error;
    if (entries.length > 1) return readPresent(db, source, entries.slice(0, entries.length >> 1));
    return readAlone(db, source, entry);
  }
}

async function readStored(
  db: Queries,
  source: EmbeddingSource,
  ids: readonly string[],
  models: readonly Model[],
) {
  const { declaration } = source;
  const rowId = rowIdColumn(declaration);
  const { rows } = await db.execute<{ rowId: string; modelId: number; textHash: string; whole: boolean }>(sql`
    select e.${rowId}::text as "rowId", e.model_id as "modelId", min(e.text_hash::text) as "textHash",
      count(*) = greatest(max(e.chunks), 1) and count(distinct e.text_hash) = 1 as whole
    from ${tableSql(declaration.embeddings)} e
    where e.${rowId} = any(${sql.param(ids)}::${keyTypeSql(source)}[])
      and e.model_id = any(${sql.param(models.map(({ id }) => id))}::int[])
    group by 1, 2`);
  return rows;
}

type StoredWords = { rowId: string; textHash: string; language: string };

async function readStoredWords(
  db: Queries,
  { declaration, ...source }: EmbeddingSource,
  ids: readonly string[],
): Promise<Map<string, StoredWords>> {
  const rowId = rowIdColumn(declaration);
  const { rows } = await db.execute<StoredWords>(sql`
    select ${rowId}::text as "rowId", text_hash as "textHash", language from ${wordsTableSql(declaration)}
    where ${rowId} = any(${sql.param(ids)}::${keyTypeSql(source)}[]) and passage = 0`);
  return new Map(rows.map((row) => [row.rowId, row]));
}

function wordsStateOf({ textHash, language }: Read, stored: StoredWords | undefined): PresentRow["words"] {
  if (!stored) return "none";
  return stored.textHash === textHash && stored.language === language ? "present" : "old";
}

function stateOf({ error, found, included, text }: Read): PresentRow["state"] {
  if (error !== undefined) return "unreadable";
  if (!found) return "absent";
  if (!included) return "excluded";
  return text === null || text.trim() === "" ? "blank" : "text";
}

/**
 * The leased rows as they are now, with what the models in use have stored of them. Rows with large texts are left out
 * if others have already filled the memory that may be used, and rows that cannot be read together with others.
 */
export async function readRows(
  db: Queries,
  source: EmbeddingSource,
  entries: readonly Leased[],
  models: readonly Model[],
): Promise<PresentRow[]> {
  const present = await readPresent(db, source, entries);
  const ids = entries.map(({ rowId }) => rowId);
  const stored = await readStored(db, source, ids, models);
  const words = await readStoredWords(db, source, ids);
  const whole = new Map<string, number[]>();
  for (const { rowId, modelId, textHash, ...of } of stored)
    if (of.whole) whole.set(`${rowId} ${textHash}`, [...(whole.get(`${rowId} ${textHash}`) ?? []), modelId]);
  const byId = new Map(present.map((read) => [read.rowId, read]));
  return entries.flatMap((entry) => {
    const read = byId.get(entry.rowId);
    if (!read) return [];
    const { textHash, certain, settled } = read;
    const state = stateOf(read);
    return {
      entry,
      state,
      error: read.error,
      text: read.text ?? "",
      textHash,
      title: read.title ?? "",
      language: read.language ?? "",
      certain: certain || settled === true,
      upToDate: new Set(whole.get(`${entry.rowId} ${textHash}`)),
      words: wordsStateOf(read, words.get(entry.rowId)),
    };
  });
}

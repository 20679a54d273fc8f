import { type SQL, sql } from "drizzle-orm";
import { columnSql, tableSql } from "../db/identifiers.ts";
import { isOfOneRow } from "../errors.ts";
import { type Keys, type KeyWindow, keyWindows, within } from "../key-windows.ts";
import type { Model } from "../models/models.ts";
import { type EmbeddingSource, type Queries, rowIdColumn, rowsSql } from "../source.ts";
import { wordsTableSql } from "../words/words-table.ts";

// If a row makes a comparison fail, its window is split into this many parts, until the row is alone.
const PARTS = 10;
// If more rows fail, it is the expression that is wrong, and comparing them one by one would take too long.
const MOST_UNREADABLE = 1_000;

/** Puts rows into the inbox. Existing entries stay as they are. `ids` has one column `id`, a text. */
const enqueue = (source: EmbeddingSource, ids: SQL) => sql`
  insert into aftercommit.pending (source, row_id, queue, version, accepted_at, accepted_xid, next_attempt)
  select ${source.name}, b.id, 'batch', nextval('aftercommit.pending_version'), clock_timestamp(), '0'::xid8,
    clock_timestamp()
  from (${ids}) b order by b.id collate "C"
  on conflict (source, row_id) do nothing
  returning 1`;

/** What is compared, and which of the rows that differ go into the inbox: none in a dry run. */
export type Comparison = {
  source: EmbeddingSource;
  models: readonly Model[];
  /** Also compares the hashes of the texts. */
  full: boolean;
  dryRun: boolean;
  enqueues: "missing" | "orphaned";
};

/** The bits of the declared table's rows, of their words, and of the first model. Each other model has the next one. */
const [ROW, WORDS, MODEL] = [1, 2, 4];

/** What each table has of the rows in a window: their keys, the table's bit, and the hash of the text it was made of. */
function contents({ source, models, full }: Comparison, window: KeyWindow): SQL {
  const { declaration } = source;
  const rowId = rowIdColumn(declaration);
  const embeddings = tableSql(declaration.embeddings);
  const content = full ? sql`text_hash, language` : sql`null::uuid as text_hash, null as language`;
  const ofModel = (model: Model, bit: number) =>
    full
      ? // A row with blank text has one row, which says that it has no chunk.
        sql`select ${rowId}, case count(*) when greatest(max(chunks), 1) then ${bit}::int else 0 end, text_hash, null
          from ${embeddings} where model_id = ${model.id} and ${within(rowId, source, window)}
          group by ${rowId}, text_hash`
      : sql`select ${rowId}, ${bit}::int, null, null from ${embeddings}
          where model_id = ${model.id} and chunk = 0 and ${within(rowId, source, window)}`;
  return sql.join(
    [
      // The window is checked first: `where` may fail on a row outside of it.
      sql`select id, ${ROW}::int as bit, ${content} from ${rowsSql(declaration)} r
        where ${within(sql`id`, source, window)} and included`,
      sql`select ${rowId}, ${WORDS}::int, ${content} from ${wordsTableSql(declaration)}
        where passage = 0 and ${within(rowId, source, window)}`,
      ...models.map((model, index) => ofModel(model, MODEL << index)),
    ],
    sql` union all `,
  );
}

/** How many rows a window has, how many of them are stored, lack something, or are stored and should not be. */
export type Compared = { rows: number; stored: number; enqueued: number; orphaned: number };

async function compareWindow(db: Queries, comparison: Comparison, window: KeyWindow): Promise<Compared> {
  const { source, models, full, dryRun, enqueues } = comparison;
  const everything = (MODEL << models.length) - 1;
  const isOther = full ? sql`or count(distinct text_hash) > 1 or count(distinct language) > 1` : sql``;
  const isOrphaned = sql`bits & ${ROW} = 0`;
  const ids = sql`select id::text from compared
    where ${enqueues === "orphaned" ? isOrphaned : sql`not ${isOrphaned} and is_behind`}`;
  const { rows } = await db.execute<Compared>(sql`
    with compared as materialized (
      select id, bit_or(bit) as bits, bit_or(bit) <> ${everything} ${isOther} as is_behind
      from (${contents(comparison, window)}) c group by id
    ), enqueued as (${dryRun ? ids : enqueue(source, ids)})
    select count(*)::int as rows, count(*) filter (where bits <> ${ROW})::int as stored,
      count(*) filter (where ${isOrphaned})::int as orphaned, (select count(*)::int from enqueued) as enqueued
    from compared`);
  return rows[0] as Compared;
}

/** Puts a row that cannot be compared into the inbox, where it fails alone, with the reason. */
async function enqueueAlone(
  db: Queries,
  { source, dryRun }: Comparison,
  window: KeyWindow,
): Promise<Compared> {
  const { table, key } = source.declaration;
  const id = sql`select ${columnSql(key)}::text as id from ${tableSql(table)}
    where ${within(columnSql(key), source, window)}`;
  const { rowCount } = await db.execute(dryRun ? id : enqueue(source, id));
  return { rows: 1, stored: 0, enqueued: rowCount ?? 0, orphaned: 0 };
}

function keysOf({ source: { declaration }, models }: Comparison): Keys[] {
  const rowId = rowIdColumn(declaration);
  const embeddings = tableSql(declaration.embeddings);
  return [
    { key: columnSql(declaration.key), from: sql`${tableSql(declaration.table)} where true` },
    { key: rowId, from: sql`${wordsTableSql(declaration)} where passage = 0` },
    ...models.map(({ id }) => ({
      key: rowId,
      from: sql`${embeddings} where model_id = ${id} and chunk = 0`,
    })),
  ];
}

/**
 * Compares what the tables have in a window of keys, or in all, at most `size` keys of each together, and puts rows
 * into the inbox. Rejects if the database does not answer, or if the declaration's expressions fail on many rows.
 */
export async function compareWindows(
  db: Queries,
  comparison: Comparison,
  { size, ...inside }: KeyWindow & { size: number },
  onCompared?: (found: Compared, window: KeyWindow) => Promise<void>,
  unreadable = { rows: 0 },
): Promise<void> {
  for await (const window of keyWindows(db, comparison.source, keysOf(comparison), { ...inside, size })) {
    let found: Compared;
    try {
      found = await compareWindow(db, comparison, window);
    } catch (error) {
      if (!isOfOneRow(error)) throw error;
      if (size > 1) {
        const parts = { ...window, size: Math.ceil(size / PARTS) };
        await compareWindows(db, comparison, parts, onCompared, unreadable);
        continue;
      }
      unreadable.rows += 1;
      if (unreadable.rows > MOST_UNREADABLE) throw error;
      found = await enqueueAlone(db, comparison, window);
    }
    await onCompared?.(found, window);
  }
}

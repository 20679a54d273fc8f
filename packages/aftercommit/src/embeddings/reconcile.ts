import { setTimeout as sleep } from "node:timers/promises";
import { type SQL, sql } from "drizzle-orm";
import type { Database } from "../db/client.ts";
import { columnSql, tableSql } from "../db/identifiers.ts";
import { type Keys, type KeyWindow, keyWindows, within } from "../key-windows.ts";
import { log } from "../log.ts";
import { type Model, readModelsInUse } from "../models/models.ts";
import { type EmbeddingSource, type Queries, rowIdColumn, rowsSql } from "../source.ts";
import { wordsTableSql } from "../words/words-table.ts";

export type Reconciliation = {
  /** Rows that lack vectors or words. With `full`, also those that have incomplete ones, or of another text. */
  missing: number;
  /** Rows that have vectors or words and should not: they do not exist, or `where` excludes them. */
  orphaned: number;
  /** True if there were so many orphaned rows that nothing was done about them. */
  stopped: boolean;
};

type Options = {
  /** Also compares the hashes of the texts, which reads every row. */
  full?: boolean;
  dryRun?: boolean;
  /** Removes vectors even if they are more than a tenth of all. */
  removeMany?: boolean;
  /** Pauses after each window for as long as it took, to keep the load low. */
  slowly?: boolean;
  onProgress?: (rows: number) => void;
};

// If more than a tenth of the rows are orphaned, the table may have been emptied by mistake, and a person must confirm.
// A few rows never need that.
const MOST_ORPHANED_SHARE = 0.1;
const FEW_ORPHANED = 1_000;
const INSERTED_AT_ONCE = 5_000;

/** Puts rows into the inbox. Existing entries stay as they are. `ids` has one column `id`, a text. */
const enqueue = (source: EmbeddingSource, ids: SQL) => sql`
  insert into aftercommit.pending (source, row_id, queue, version, accepted_at, accepted_xid, next_attempt)
  select ${source.name}, b.id, 'batch', nextval('aftercommit.pending_version'), clock_timestamp(), '0'::xid8,
    clock_timestamp()
  from (${ids}) b order by b.id collate "C"
  on conflict (source, row_id) do nothing
  returning 1`;

type Tables = { source: EmbeddingSource; models: readonly Model[]; full: boolean };

/** The bits of the declared table's rows, of their words, and of the first model. Each other model has the next one. */
const [ROW, WORDS, MODEL] = [1, 2, 4];

/** What each table has of the rows in a window: their keys, the table's bit, and the hash of the text it was made of. */
function contents(tables: Tables, window: KeyWindow): SQL {
  const { source, models, full } = tables;
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
      sql`select id, ${ROW}::int as bit, ${content} from ${rowsSql(declaration)} r
        where included and ${within(sql`id`, source, window)}`,
      sql`select ${rowId}, ${WORDS}::int, ${content} from ${wordsTableSql(declaration)}
        where passage = 0 and ${within(rowId, source, window)}`,
      ...models.map((model, index) => ofModel(model, MODEL << index)),
    ],
    sql` union all `,
  );
}

type Compared = { rows: number; stored: number; missing: number; orphaned: string[] };

/** Compares what the tables have in a window of keys, and puts the rows that lack something into the inbox. */
async function compareWindow(
  db: Queries,
  tables: Tables,
  { window, dryRun }: { window: KeyWindow; dryRun: boolean },
) {
  const everything = (MODEL << tables.models.length) - 1;
  const isOther = tables.full ? sql`or count(distinct text_hash) > 1 or count(distinct language) > 1` : sql``;
  const missing = sql`select id::text from compared where bits & ${ROW} > 0 and is_behind`;
  const { rows } = await db.execute<Compared>(sql`
    with compared as materialized (
      select id, bit_or(bit) as bits, bit_or(bit) <> ${everything} ${isOther} as is_behind
      from (${contents(tables, window)}) c group by id
    ), missing as (${dryRun ? missing : enqueue(tables.source, missing)})
    select count(*)::int as rows, count(*) filter (where bits <> ${ROW})::int as stored,
      (select count(*)::int from missing) as missing,
      coalesce(array_agg(id::text) filter (where bits & ${ROW} = 0), '{}') as orphaned
    from compared`);
  return rows[0] as Compared;
}

function keysOf({ source: { declaration }, models }: Tables): Keys[] {
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
 * Finds rows without vectors or words, and vectors or words without rows, whatever the reason: lost messages,
 * `TRUNCATE`, an attached partition, deleted vectors. Only puts them into the inbox. Without `full`, it reads only the
 * indexes of the keys. Rejects if the database does not answer; what was found so far is kept.
 */
export async function reconcile(
  db: Database,
  source: EmbeddingSource,
  { full = false, dryRun = false, removeMany = false, slowly = false, onProgress }: Options = {},
): Promise<Reconciliation> {
  const { active, building } = await readModelsInUse(db);
  const tables: Tables = { source, full, models: building ? [active, building] : [active] };
  const done: Reconciliation = { missing: 0, orphaned: 0, stopped: false };
  const orphaned: string[] = [];
  let stored = 0;
  for await (const window of keyWindows(db, source, keysOf(tables))) {
    const startedAt = Date.now();
    const found = await compareWindow(db, tables, { window, dryRun });
    if (slowly) await sleep(Date.now() - startedAt);
    done.missing += found.missing;
    stored += found.stored;
    orphaned.push(...found.orphaned);
    onProgress?.(found.rows);
  }
  done.orphaned = orphaned.length;
  done.stopped = orphaned.length > Math.max(FEW_ORPHANED, stored * MOST_ORPHANED_SHARE) && !removeMany;
  if (done.stopped) log("error", "reconcile.stopped", { source: source.name, orphaned: orphaned.length });
  else if (!dryRun)
    for (let at = 0; at < orphaned.length; at += INSERTED_AT_ONCE) {
      const part = sql.param(orphaned.slice(at, at + INSERTED_AT_ONCE));
      await db.execute(enqueue(source, sql`select unnest(${part}::text[]) as id`));
    }
  if (!dryRun)
    await db.execute(sql`update aftercommit.sources set reconciled_at = now(),
      fully_reconciled_at = case when ${full} then now() else fully_reconciled_at end where name = ${source.name}`);
  return done;
}

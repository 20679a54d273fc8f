import { setTimeout as sleep } from "node:timers/promises";
import { type SQL, sql } from "drizzle-orm";
import type { Database } from "../db/client.ts";
import { quotedColumn, tableSql } from "../db/identifiers.ts";
import { alsoWithin, type KeyWindow, keyWindows, within } from "../key-windows.ts";
import { log } from "../log.ts";
import { type Model, readModelsInUse } from "../models/models.ts";
import { type EmbeddingSource, type Queries, rowIdColumn, rowsSql } from "../source.ts";
import { wordsTableSql } from "../words/words-table.ts";

export type Reconciliation = {
  /**
   * Rows that should have vectors and do not. With `full`, also those whose vectors are incomplete, or of another text.
   */
  missing: number;
  /** Rows that have vectors and should not: they do not exist, or `where` excludes them. */
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

/** Puts the rows that a query finds into the inbox; `ids` has one column `id`. Existing entries stay as they are. */
const enqueue = (source: EmbeddingSource, ids: SQL) => sql`
  insert into aftercommit.pending (source, row_id, queue, version, accepted_at, accepted_xid, next_attempt)
  select ${source.name}, b.id::text, 'batch', nextval('aftercommit.pending_version'), clock_timestamp(), '0'::xid8,
    clock_timestamp()
  from (${ids}) b order by b.id::text collate "C"
  on conflict (source, row_id) do nothing`;

/**
 * The rows of a window that a model lacks. With `full`, also those of which it has another text, or not every chunk.
 */
function behind(source: EmbeddingSource, model: Model, window: KeyWindow, full: boolean): SQL {
  const { declaration } = source;
  const rowId = rowIdColumn(declaration);
  const embeddings = tableSql(declaration.embeddings);
  const same = sql`and e.text_hash = r.text_hash and greatest(e.chunks, 1) = (
    select count(*) from ${embeddings} c where c.${rowId} = r.id and c.model_id = ${model.id} and c.text_hash = e.text_hash)`;
  return sql`
    select r.id from ${rowsSql(declaration)} r
    where r.included and ${within(sql`r.id`, source, window)} and not exists (
      select from ${embeddings} e where e.${rowId} = r.id and e.model_id = ${model.id} and e.chunk = 0
        and ${alsoWithin(sql`e.${rowId}`, source, window)} ${full ? same : sql``})`;
}

/** Rows of a window that have vectors but no words; with `full`, also those with words of another text. */
function lackWords(source: EmbeddingSource, model: Model, window: KeyWindow, full: boolean): SQL {
  const { declaration } = source;
  const rowId = rowIdColumn(declaration);
  return sql`
    select r.id from ${rowsSql(declaration)} r
    where r.included and ${within(sql`r.id`, source, window)} and exists (
      select from ${tableSql(declaration.embeddings)} e where e.${rowId} = r.id and e.model_id = ${model.id} and e.chunk = 0
        and ${alsoWithin(sql`e.${rowId}`, source, window)} ${full ? sql`and e.text_hash = r.text_hash` : sql``})
      and not exists (select from ${wordsTableSql(declaration)} w where w.${rowId} = r.id and w.passage = 0
        and ${alsoWithin(sql`w.${rowId}`, source, window)} ${full ? sql`and w.text_hash = r.text_hash` : sql``})`;
}

async function countOrEnqueue(
  db: Queries,
  source: EmbeddingSource,
  ids: SQL,
  dryRun: boolean,
): Promise<number> {
  if (!dryRun) return (await db.execute(enqueue(source, ids))).rowCount ?? 0;
  const { rows } = await db.execute<{ rows: number }>(sql`select count(*)::int as rows from (${ids}) b`);
  return rows[0]?.rows ?? 0;
}

/** A table of ours with a row for each row that it knows, under the alias e. */
const storedIn = ({ declaration }: EmbeddingSource, model: Model): SQL[] => [
  sql`${tableSql(declaration.embeddings)} e where e.model_id = ${model.id} and e.chunk = 0`,
  sql`${wordsTableSql(declaration)} e where e.passage = 0`,
];

async function orphanedIn(db: Queries, source: EmbeddingSource, stored: SQL, window: KeyWindow) {
  const { declaration } = source;
  const rowId = rowIdColumn(declaration);
  const { rows } = await db.execute<{ id: string | null; all: number }>(sql`
    with walked as (
      select e.${rowId} as id from ${stored} and ${within(sql`e.${rowId}`, source, window)}
    )
    select w.id::text, (select count(*)::int from walked) as all from walked w
    where not exists (select from ${rowsSql(declaration)} r where r.id = w.id and r.included
      and ${alsoWithin(sql`r.id`, source, window)})
    union all select null, (select count(*)::int from walked)`);
  return { all: rows[0]?.all ?? 0, ids: rows.flatMap(({ id }) => id ?? []) };
}

async function orphaned(db: Database, source: EmbeddingSource, model: Model, options: Options) {
  const key = sql`e.${rowIdColumn(source.declaration)}`;
  let most = 0;
  const ids = new Set<string>();
  for (const from of storedIn(source, model)) {
    let all = 0;
    for await (const window of keyWindows(db, source, { key, from })) {
      const found = await paced(options, () => orphanedIn(db, source, from, window));
      all += found.all;
      for (const id of found.ids) ids.add(id);
      options.onProgress?.(found.all);
    }
    most = Math.max(most, all);
  }
  return { ids: [...ids], tooMany: ids.size > Math.max(FEW_ORPHANED, most * MOST_ORPHANED_SHARE) };
}

async function paced<T>({ slowly }: Options, work: () => Promise<T>): Promise<T> {
  const startedAt = Date.now();
  const result = await work();
  if (slowly) await sleep(Date.now() - startedAt);
  return result;
}

/**
 * Finds rows without vectors and vectors without rows, whatever the reason: lost messages, `TRUNCATE`, an attached
 * partition, deleted vectors. Only puts them into the inbox. Without `full`, it reads only the index of the keys.
 * Rejects if the database does not answer; what was found so far is kept.
 */
export async function reconcile(
  db: Database,
  source: EmbeddingSource,
  options: Options = {},
): Promise<Reconciliation> {
  const { full = false, dryRun = false, removeMany = false, onProgress } = options;
  const { active, building } = await readModelsInUse(db);
  const { table, key } = source.declaration;
  const done: Reconciliation = { missing: 0, orphaned: 0, stopped: false };
  const ofModels = (building ? [active, building] : [active]).map(
    (model) => (window: KeyWindow) => behind(source, model, window, full),
  );
  for (const query of [...ofModels, (window: KeyWindow) => lackWords(source, active, window, full)]) {
    const from = sql`${tableSql(table)} where true`;
    for await (const window of keyWindows(db, source, { key: sql.raw(quotedColumn(key)), from })) {
      const ids = query(window);
      done.missing += await paced(options, () => countOrEnqueue(db, source, ids, dryRun));
      onProgress?.(0);
    }
  }
  const { ids, tooMany } = await orphaned(db, source, active, options);
  done.orphaned = ids.length;
  done.stopped = tooMany && !removeMany;
  if (done.stopped) log("error", "reconcile.stopped", { source: source.name, orphaned: ids.length });
  else if (!dryRun)
    for (let at = 0; at < ids.length; at += INSERTED_AT_ONCE) {
      const part = sql.param(ids.slice(at, at + INSERTED_AT_ONCE));
      await db.execute(enqueue(source, sql`select unnest(${part}::text[]) as id`));
    }
  if (!dryRun)
    await db.execute(sql`update aftercommit.sources set reconciled_at = now(),
      fully_reconciled_at = case when ${full} then now() else fully_reconciled_at end where name = ${source.name}`);
  return done;
}

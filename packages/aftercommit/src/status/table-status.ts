import { type SQL, sql } from "drizzle-orm";
import type { Database } from "../db/client.ts";
import { columnSql, tableSql } from "../db/identifiers.ts";
import type { EmbeddingDeclaration } from "../declare/declaration.ts";
import { tagOf } from "../declare/names.ts";
import { rootMessageOf } from "../errors.ts";
import { log } from "../log.ts";
import { type EmbeddingSource, keyTypeSql, type Queries, SourceError, sourceOf } from "../source.ts";
import { type Lag, readLag } from "./answer-lag.ts";
import type { TableCounts } from "./table-counts.ts";

const SHOWN = 5;
// Failed rows that are due again are among the pending ones: this reads no more than so many.
const LOOKED_AT = 100;
const LABEL_CHARS = 120;

/** A row on the page. `label` is its first declared column; `tag` is the tag of its runs. */
type ShownRow = { id: string; label: string | undefined; tag: string };

/** A row that waits in the inbox. */
export type PendingRow = ShownRow & {
  queue: "realtime" | "batch";
  /** When it was changed, or accepted if that is unknown. */
  since: Date;
};

/** A row whose embedding failed, with the reason and when it is tried again. */
export type FailedRow = ShownRow & { error: string; attempts: number; nextAttempt: Date };

/** How things stand with one embedded table. */
export type TableStatus = {
  counts: TableCounts;
  lag: Lag | undefined;
  /** The oldest pending rows, oldest first. */
  pending: PendingRow[];
  /** The failed rows that are retried next. */
  failed: FailedRow[];
};

const milliseconds = (time: SQL) => sql`extract(epoch from ${time})::float8 * 1000`;

// Uses the index of each queue: what was accepted first is due first.
const oldestOf = (source: string, queue: PendingRow["queue"]) => sql`
  select row_id, queue, coalesce(changed_at, accepted_at) as since from (
    select * from aftercommit.pending
    where source = ${source} and queue = ${queue} and settle_xid is null order by next_attempt limit ${LOOKED_AT}
  ) due where error is null`;

async function readPending(db: Queries, source: string) {
  const { rows } = await db.execute<{ id: string; queue: PendingRow["queue"]; since: number }>(sql`
    select row_id as id, queue, ${milliseconds(sql`since`)} as since from (
      ${oldestOf(source, "realtime")} union all ${oldestOf(source, "batch")}
    ) pending order by pending.since limit ${SHOWN}`);
  return rows;
}

async function readFailed(db: Queries, source: string) {
  const { rows } = await db.execute<{ id: string; error: string; attempts: number; nextAttempt: number }>(sql`
    select row_id as id, error, attempts, ${milliseconds(sql`next_attempt`)} as "nextAttempt"
    from aftercommit.pending where source = ${source} and error is not null order by next_attempt limit ${SHOWN}`);
  return rows;
}

/** The first declared column of some rows, by their ids. The page omits it if it cannot be read. */
async function readLabels(
  db: Queries,
  { declaration, ...source }: EmbeddingSource,
  ids: readonly string[],
): Promise<Map<string, string>> {
  const [label] = declaration.columns;
  if (label === undefined || ids.length === 0) return new Map();
  const key = columnSql(declaration.key);
  try {
    const { rows } = await db.execute<{ id: string; label: string | null }>(sql`
      select ${key}::text as id, left(${columnSql(label)}::text, ${LABEL_CHARS}) as label
      from ${tableSql(declaration.table)} where ${key} = any(${sql.param(ids)}::${keyTypeSql(source)}[])`);
    return new Map(rows.map((row) => [row.id, row.label ?? ""]));
  } catch (error) {
    log("warn", "status.labels_unknown", { source: source.name, error: rootMessageOf(error) });
    return new Map();
  }
}

/**
 * What the status page shows of an embedded table. Reads only the shown rows from the table itself. Rejects with
 * SourceError if the database has no declaration of it, or another one.
 */
export async function readTableStatus(
  db: Database,
  declaration: EmbeddingDeclaration,
  counts: TableCounts | undefined,
): Promise<TableStatus> {
  const [source, lag, pending, failed] = await Promise.all([
    sourceOf(db, declaration),
    readLag(db, declaration),
    readPending(db, declaration.row),
    readFailed(db, declaration.row),
  ]);
  if (!counts)
    throw new SourceError(`The view aftercommit.status lacks ${declaration.row}: npx aftercommit migrate`);
  const ids = [...pending, ...failed].map(({ id }) => id);
  const labels = await readLabels(db, source, ids);
  const shown = (id: string): ShownRow => ({ id, label: labels.get(id), tag: tagOf(declaration, id) });
  return {
    counts,
    lag,
    pending: pending.map((row) => ({ ...row, ...shown(row.id), since: new Date(row.since) })),
    failed: failed.map((row) => ({ ...row, ...shown(row.id), nextAttempt: new Date(row.nextAttempt) })),
  };
}

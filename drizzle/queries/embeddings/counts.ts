import { sql } from "drizzle-orm";
import type { Database } from "../../client.ts";
import type { EmbeddedTable } from "../../embedded-table.ts";
import { embeddingCounts } from "../../embedding-tables.ts";
import { standing } from "./find-rows-behind.ts";

/** `pending` rows have no vectors yet, `stale` ones those of another text, `empty` ones need none. */
export type Counts = Record<"embedded" | "pending" | "stale" | "empty", number>;

export type Counted = { counts: Counts; countedAt: Date; tookMs: number };

const ADVISORY_LOCK = 4_203_978;

/** What was last counted, or undefined where nothing was. */
export async function readCounts(
  db: Database,
  of: EmbeddedTable,
  modelId: number,
): Promise<Counted | undefined> {
  const [row] = await db
    .select()
    .from(embeddingCounts)
    .where(sql`${embeddingCounts.source} = ${of.name} and ${embeddingCounts.modelId} = ${modelId}`);
  if (!row) return undefined;
  const { embedded, pending, stale, empty, countedAt, tookMs } = row;
  return { counts: { embedded, pending, stale, empty }, countedAt, tookMs };
}

/** Counts the rows of each state, without reading a text, and keeps the result. One at a time counts; others return. */
export async function countRows(db: Database, of: EmbeddedTable, modelId: number): Promise<void> {
  await db.execute(sql`
    with turn as materialized (
      select clock_timestamp() as at where pg_try_advisory_xact_lock(${ADVISORY_LOCK}, ${modelId})
    ), counted as materialized (
      select turn.at,
        count(*) filter (where s.text_hash is not null and s.complete) as embedded,
        count(*) filter (where s.text_hash is not null and s.found = 0) as pending,
        count(*) filter (where s.found > 0 and not (s.text_hash is not null and s.complete)) as stale,
        count(*) filter (where s.text_hash is null and s.found = 0) as empty
      from turn left join (${standing(of, modelId)}) s on true
      group by turn.at
    )
    insert into embedding_counts (source, model_id, embedded, pending, stale, empty, counted_at, took_ms)
    select ${of.name}, ${modelId}, embedded, pending, stale, empty, at, extract(epoch from clock_timestamp() - at) * 1000
    from counted
    on conflict (source, model_id) do update set embedded = excluded.embedded, pending = excluded.pending,
      stale = excluded.stale, empty = excluded.empty, counted_at = excluded.counted_at, took_ms = excluded.took_ms`);
}

import { sql } from "drizzle-orm";
import type { Database } from "../../client.ts";
import type { EmbeddedTable } from "../../embedded-table.ts";
import { embeddingCounts } from "../../embedding-tables.ts";
import { standing, windowsOf } from "./standing.ts";

const STATES = ["embedded", "pending", "stale", "empty"] as const;

/** `pending` rows have no vectors yet, `stale` ones those of another text, `empty` ones need none. */
export type Counts = Record<(typeof STATES)[number], number>;

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
  await db.transaction(async (tx) => {
    const turn = await tx.execute(sql`select where pg_try_advisory_xact_lock(${ADVISORY_LOCK}, ${modelId})`);
    if (turn.rowCount === 0) return;
    const total: Counts = { embedded: 0, pending: 0, stale: 0, empty: 0 };
    for await (const window of windowsOf(tx, of)) {
      const { rows } = await tx.execute<Counts>(sql`
        select count(*) filter (where s.text_hash is not null and s.complete)::int as embedded,
          count(*) filter (where s.text_hash is not null and s.found = 0)::int as pending,
          count(*) filter (where s.found > 0 and not (s.text_hash is not null and s.complete))::int as stale,
          count(*) filter (where s.text_hash is null and s.found = 0)::int as empty
        from (${standing(of, modelId, window)}) s`);
      for (const state of STATES) total[state] += rows[0]?.[state] ?? 0;
    }
    const { embedded, pending, stale, empty } = total;
    await tx.execute(sql`
      insert into embedding_counts (source, model_id, embedded, pending, stale, empty, counted_at, took_ms)
      values (${of.name}, ${modelId}, ${embedded}, ${pending}, ${stale}, ${empty}, now(),
        extract(epoch from clock_timestamp() - now()) * 1000)
      on conflict (source, model_id) do update set embedded = excluded.embedded, pending = excluded.pending,
        stale = excluded.stale, empty = excluded.empty, counted_at = excluded.counted_at, took_ms = excluded.took_ms`);
  });
}

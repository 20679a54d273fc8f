import { sql } from "drizzle-orm";
import { tableSql } from "../db/identifiers.ts";
import type { EmbeddingDeclaration } from "../declare/declaration.ts";
import type { Queries } from "../source.ts";

/** Seconds from a change's commit to its embedding: the median and the 95th percentile. */
export type Lag = { p50: number; p95: number; changes: number };

const LAST = 1_000;

/**
 * The lag of the last 1,000 changes within a day that the active model embedded, or undefined if there were none. Rows
 * of a backfill or a reconciliation do not count, because nothing waited for them.
 */
export async function readLag(db: Queries, { embeddings }: EmbeddingDeclaration): Promise<Lag | undefined> {
  const { rows } = await db.execute<Lag>(sql`
    select percentile_cont(0.5) within group (order by seconds)::float8 as p50,
      percentile_cont(0.95) within group (order by seconds)::float8 as p95, count(*)::int as changes
    from (
      select extract(epoch from e.updated_at - e.changed_at) as seconds from ${tableSql(embeddings)} e
      where e.model_id = (select id from aftercommit.models where state = 'active') and e.chunk = 0
        and e.changed_at is not null and e.updated_at > now() - interval '1 day'
      order by e.updated_at desc limit ${LAST}
    ) embedded`);
  const [lag] = rows;
  return lag?.changes ? lag : undefined;
}

import { type SQL, sql } from "drizzle-orm";
import type { Database } from "../../client.ts";
import type { EmbeddedTable } from "../../embedded-table.ts";
import { standing, windowsOf } from "./standing.ts";

type Range = {
  /** Models in use: a row that is behind by several of them is found once. */
  modelIds: readonly number[];
  after?: string | undefined;
  upTo?: string | undefined;
  limit: number;
};

/** True for a row of {@link standing} whose vectors are not those of its text. */
const isBehind = sql`(case when s.text_hash is null then s.found > 0 else not s.complete end)`;

/**
 * True for a row of {@link standing} that was refused and whose time to be tried again has not come. All refusals are
 * read once and hashed: of a join, or of a look for each row, the planner makes far too much work where it does not know
 * yet how many there are.
 */
const isRefused = (of: EmbeddedTable, modelId: number) => sql`coalesce((s.id::text, s.text_hash) in (
  select f.row_id, f.text_hash from embedding_failures f
  where f.source = ${of.name} and f.model_id = ${modelId} and f.next_try > now()), false)`;

/** A row that is behind, and the text that it has now. */
export type RowBehind = { id: string; textHash: string | null };

/**
 * The next rows, in the order of their keys, whose vectors by any of the models are not those of their text, without
 * those that the provider refused and whose time has not come.
 */
export async function findRowsBehind(db: Database, of: EmbeddedTable, range: Range): Promise<RowBehind[]> {
  const { modelIds, limit } = range;
  const behind = modelIds.map(
    (id): SQL =>
      sql`(select s.id, s.text_hash from (${standing(of, id, range)}) s
        where ${isBehind} and not ${isRefused(of, id)} order by s.id limit ${limit})`,
  );
  const { rows } = await db.execute<RowBehind>(
    sql`select u.id::text as id, u.text_hash as "textHash" from (${sql.join(behind, sql` union `)}) u
      order by u.id limit ${limit}`,
  );
  return rows;
}

/** How many rows of a table a model has still to embed, without those that were refused. Reads no text. */
export async function countRowsBehind(
  db: Database,
  of: EmbeddedTable,
  modelId: number,
): Promise<{ behind: number; all: number }> {
  const counted = { behind: 0, all: 0 };
  for await (const window of windowsOf(db, of)) {
    const { rows } = await db.execute<{ behind: number; total: number }>(sql`
      select count(*) filter (where ${isBehind} and not ${isRefused(of, modelId)})::int as behind,
        count(*) filter (where s.text_hash is not null or s.found > 0)::int as total
      from (${standing(of, modelId, window)}) s`);
    counted.behind += rows[0]?.behind ?? 0;
    counted.all += rows[0]?.total ?? 0;
  }
  return counted;
}

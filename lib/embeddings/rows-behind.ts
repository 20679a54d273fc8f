import type { Database } from "../../drizzle/client.ts";
import type { EmbeddedTable } from "../../drizzle/embedded-table.ts";
import { findRowsBehind, type RowBehind } from "../../drizzle/queries/embeddings/find-rows-behind.ts";
import type { EmbeddingModel } from "../../drizzle/queries/embeddings/models.ts";
import { windowsOf } from "../../drizzle/queries/embeddings/standing.ts";
import { database } from "../database.ts";
import { type EmbeddedSource, MOST_ROWS_A_RUN } from "./embedded-source.ts";
import { modelsInUse } from "./models-in-use.ts";

/** Rows that are behind by any of some models, in the order of their keys, as many at a time as a run takes. */
async function* listsBehind(
  of: EmbeddedTable,
  modelIds: readonly number[],
  db: Database,
): AsyncGenerator<RowBehind[], void> {
  let found: RowBehind[] = [];
  for await (const { after, upTo } of windowsOf(db, of)) {
    for (let last = after; ; ) {
      const limit = MOST_ROWS_A_RUN - found.length;
      const rows = await findRowsBehind(db, of, { modelIds, after: last, upTo, limit });
      found.push(...rows);
      if (rows.length < limit) break;
      yield found;
      found = [];
      last = rows.at(-1)?.id;
    }
  }
  if (found.length > 0) yield found;
}

/** Lists of rows that are behind by a model in use, in the order of their keys. */
export async function* rowsBehind({ of }: EmbeddedSource, db: Database): AsyncGenerator<string[], void> {
  const { active, building } = await modelsInUse(db);
  const modelIds = building ? [active.id, building.id] : [active.id];
  for await (const rows of listsBehind(of, modelIds, db)) yield rows.map(({ id }) => id);
}

/**
 * The first 1,000 rows of each table that a model has still to embed, each with its text of now: one that is there
 * again later has been left out, and not been changed meanwhile.
 */
export async function textsBehind(
  sources: readonly EmbeddedSource[],
  { id }: EmbeddingModel,
  { db = database() }: { db?: Database } = {},
): Promise<Set<string>> {
  const texts = new Set<string>();
  for (const { of } of sources) {
    const { value = [] } = await listsBehind(of, [id], db).next();
    for (const row of value) texts.add([of.name, row.id, row.textHash].join());
  }
  return texts;
}

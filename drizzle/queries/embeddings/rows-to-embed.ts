import { sql } from "drizzle-orm";
import type { Database } from "../../client.ts";
import type { EmbeddedTable } from "../../embedded-table.ts";

/** How a row stands to a model: `text` is read only where there is something to do. */
export type RowToEmbed = {
  id: string;
  /** Null when the text is blank: then its vectors go. */
  textHash: string | null;
  text: string | null;
  /** The provider refused this very text, and it is not time to try again. */
  refused: boolean;
};

/** An SQL list of ids, sent as one parameter. */
const idList = (ids: readonly string[], { idType }: EmbeddedTable) =>
  sql`select unnest(${sql.param(ids)}::text[])::${idType}`;

/** The rows that are there, of those asked for, with what is to be done about each. Rows that are gone are left out. */
export async function readRowsToEmbed(
  db: Database,
  of: EmbeddedTable,
  modelId: number,
  ids: readonly string[],
): Promise<RowToEmbed[]> {
  const { rows } = await db.execute<RowToEmbed>(sql`
    select r.${of.id}::text as id, r.text_hash as "textHash",
      case when e.complete is not true then ${of.text} end as text,
      exists (select from embedding_failures f where f.source = ${of.name} and f.row_id = r.${of.id}::text
        and f.model_id = ${modelId} and f.text_hash = r.text_hash and f.next_try > now()) as refused
    from ${of.table} r
    cross join lateral (
      select case when r.text_hash is null then count(*) = 0
        else count(*) > 0 and count(*) = max(e.chunks) and bool_and(e.text_hash = r.text_hash) end as complete
      from ${of.embeddings} e where e.${of.rowId} = r.${of.id} and e.model_id = ${modelId}
    ) e
    where r.${of.id} in (${idList(ids, of)})`);
  return rows;
}

import { sql } from "drizzle-orm";
import type { Database } from "../../client.ts";
import type { EmbeddedTable } from "../../embedded-table.ts";

/** The texts of some rows: the newest by their keys, so that the table is not read. */
export async function sampleTexts(db: Database, of: EmbeddedTable, limit: number): Promise<string[]> {
  const { rows } = await db.execute<{ text: string }>(sql`
    select ${of.text} as text from ${of.table} r where r.text_hash is not null order by r.${of.id} desc limit ${limit}`);
  return rows.map(({ text }) => text);
}

/** The texts of about `wanted` rows from pages everywhere in the table, which has `all` rows; reads no other pages. */
export async function randomTexts(
  db: Database,
  of: EmbeddedTable,
  { wanted, all }: { wanted: number; all: number },
): Promise<string[]> {
  const percent = Math.min(100, (wanted / Math.max(1, all)) * 100);
  const { rows } = await db.execute<{ text: string }>(sql`
    select ${of.text} as text from ${of.table} r tablesample system (${percent}::real)
    where r.text_hash is not null limit ${wanted * 2}`);
  return rows.map(({ text }) => text);
}

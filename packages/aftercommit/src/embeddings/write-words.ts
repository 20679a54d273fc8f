import { sql } from "drizzle-orm";
import type { Database } from "../db/client.ts";
import { LeasesLostError } from "../inbox/end-entries.ts";
import { noteWords } from "../inbox/words-due.ts";
import { type EmbeddingSource, keyTypeSql, type Queries, rowIdColumn } from "../source.ts";
import type { Lexicon } from "../words/lexemes.ts";
import { readLexicons } from "../words/lexicons.ts";
import { wordVector } from "../words/vector.ts";
import { wordsTableSql } from "../words/words-table.ts";
import type { PresentRow } from "./read-rows.ts";
import { split } from "./split.ts";

// Passages per statement: a book must not reach the statement timeout.
const AT_ONCE = 200;
// Four characters are about one token in English. Words need no exact count.
const countTokens = (text: string) => Math.ceil(text.length / 4);

type Passage = {
  rowId: string;
  passage: number;
  start: number;
  length: number;
  textHash: string;
  language: string;
  vector: string;
  size: number;
};

type LexiconOf = (language: string) => Lexicon;

/** The passages of a row's text. A blank text is marked by one passage without words. */
function passagesOf(row: PresentRow, chunkTokens: number, lexiconOf: LexiconOf): Passage[] {
  const { entry, text, textHash, title, language, state } = row;
  if (textHash === null) return [];
  const of = { rowId: entry.rowId, textHash, language };
  if (state === "blank") return [{ ...of, passage: 0, start: 0, length: 0, vector: "", size: 0 }];
  const lexicon = lexiconOf(language);
  return split(text, chunkTokens, countTokens).map(({ text: chunk, start, length }, passage) => {
    return { ...of, passage, start, length, ...wordVector({ passage: chunk, title }, lexicon) };
  });
}

async function insertPassages(
  tx: Queries,
  { declaration, ...source }: EmbeddingSource,
  part: readonly Passage[],
): Promise<void> {
  const column = (of: (passage: Passage) => string | number) => sql.param(part.map(of));
  const rowId = rowIdColumn(declaration);
  await tx.execute(sql`
    insert into ${wordsTableSql(declaration)} (${rowId}, passage, start, length, text_hash, language, size, words)
    select g.row_id::${keyTypeSql(source)}, g.passage, g.start, g.length, g.text_hash, g.language, g.size, g.words::tsvector
    from unnest(${column(({ rowId }) => rowId)}::text[], ${column(({ passage }) => passage)}::int[],
      ${column(({ start }) => start)}::int[], ${column(({ length }) => length)}::int[],
      ${column(({ textHash }) => textHash)}::uuid[], ${column(({ language }) => language)}::text[],
      ${column(({ size }) => size)}::int[], ${column(({ vector }) => vector)}::text[])
      as g (row_id, passage, start, length, text_hash, language, size, words)
    on conflict (${rowId}, passage) do update set start = excluded.start, length = excluded.length,
      text_hash = excluded.text_hash, language = excluded.language, size = excluded.size, words = excluded.words`);
}

type Change = { rowId: string; passages: Passage[] };

async function changesOf(
  db: Database,
  { declaration }: EmbeddingSource,
  rows: readonly PresentRow[],
): Promise<Change[]> {
  const isIncluded = ({ state }: PresentRow) => state === "text" || state === "blank";
  const changed = rows.filter(
    (row) => row.state !== "unreadable" && row.words !== (isIncluded(row) ? "present" : "none"),
  );
  const texts = changed.map(({ language, title, text }) => ({ language, text: `${title}\n${text}` }));
  const lexiconOf = await readLexicons(db.$client, declaration, texts);
  return changed.map((row) => {
    const passages = isIncluded(row) ? passagesOf(row, declaration.chunkTokens, lexiconOf) : [];
    return { rowId: row.entry.rowId, passages };
  });
}

async function writeChanges(tx: Queries, source: EmbeddingSource, changes: readonly Change[]): Promise<void> {
  if (changes.length === 0) return;
  const { declaration } = source;
  // The row may have had more passages before.
  await tx.execute(sql`
    delete from ${wordsTableSql(declaration)} w
    using unnest(${sql.param(changes.map(({ rowId }) => rowId))}::text[],
      ${sql.param(changes.map(({ passages }) => passages.length))}::int[]) as g (row_id, passages)
    where w.${rowIdColumn(declaration)} = g.row_id::${keyTypeSql(source)} and w.passage >= g.passages`);
  const passages = changes.flatMap((change) => change.passages);
  for (let from = 0; from < passages.length; from += AT_ONCE)
    await insertPassages(tx, source, passages.slice(from, from + AT_ONCE));
}

/**
 * Writes the words of leased rows as they are now, before any provider is asked, so that a row is found by its words
 * even while the model is paused. As in rule 5, a row whose lease is lost is left out: another worker has it, and may
 * have read a newer text.
 */
export async function writeWords(
  db: Database,
  source: EmbeddingSource,
  { token, rows, isPaused }: { token: string; rows: readonly PresentRow[]; isPaused: boolean },
): Promise<void> {
  let left = rows.toSorted((a, b) => (a.entry.rowId < b.entry.rowId ? -1 : 1));
  while (left.length > 0) {
    try {
      const changes = await changesOf(db, source, left);
      if (changes.length === 0 && !isPaused) return;
      await db.transaction(async (tx) => {
        await writeChanges(tx, source, changes);
        await noteWords(tx, source.name, { token, entries: left.map(({ entry }) => entry) });
      });
      return;
    } catch (error) {
      if (!(error instanceof LeasesLostError)) throw error;
      left = left.filter(({ entry }) => !error.rowIds.has(entry.rowId));
    }
  }
}

import { type SQL, sql } from "drizzle-orm";
import { quotedColumn } from "../db/identifiers.ts";
import type { EmbeddingDeclaration } from "../declare/declaration.ts";
import type { Model } from "../models/models.ts";
import { type KeyType, keyTypeSql, rowIdColumn } from "../source.ts";
import { wordsTableSql } from "../words/words-table.ts";
import { rowsOf, type SearchConnection } from "./connection.ts";
import { findMatchingRows, type MatchingRow } from "./matching-rows.ts";
import { findNearestRows, type NearestRow, type Place, scanExactly } from "./nearest-rows.ts";
import type { WordStatistics } from "./word-statistics.ts";

/** What a row was found by. */
export type Matched = "words" | "meaning";

export type RankedRow = Place & {
  id: string;
  score: number;
  /** The score by each half of a hybrid search; 0 in the half that did not find it. */
  halves: Record<Matched, number>;
  matched: Matched[];
};

export type Ranking = {
  declaration: EmbeddingDeclaration;
  keyType: KeyType;
  filter: SQL | undefined;
  /** How many rows each half is asked for. */
  limit: number;
  /** Undefined in a search by meaning. */
  words: WordStatistics | undefined;
  /** Undefined in a search by words. */
  meaning: { vector: Float32Array; model: Model; weight: number } | undefined;
};

const and = (a: SQL | undefined, b: SQL) => (a ? sql`${a} and ${b}` : b);

/** A condition over the columns of the declared table: its key is one of these. */
export const hasId = (
  { declaration: { table, key }, keyType }: Pick<Ranking, "declaration" | "keyType">,
  ids: readonly string[],
) =>
  sql`${sql.raw(`${quotedColumn(table.name)}.${quotedColumn(key)}`)} = any(${sql.param(ids)}::${keyTypeSql({ keyType })}[])`;

const similarityOf = ({ distance }: Pick<NearestRow, "distance">) => Math.max(0, 1 - distance);

/** The score of a hybrid search. */
export const weighted = ({ words, meaning }: RankedRow["halves"], weight: number): number =>
  weight * meaning + (1 - weight) * words;

const placeOf = ({ textHash, start, length }: Place): Place => ({ textHash, start, length });

const byScore = (a: RankedRow, b: RankedRow) => b.score - a.score || (a.id < b.id ? -1 : 1);

/** The hashes of the texts whose words are stored: vectors of another text are out of date. */
async function readWordHashes(
  db: SearchConnection,
  { declaration, keyType }: Ranking,
  ids: readonly string[],
) {
  const rowId = rowIdColumn(declaration);
  const rows = await rowsOf<{ id: string; hash: string }>(
    db,
    sql`select ${rowId}::text as id, text_hash::text as hash from ${wordsTableSql(declaration)}
      where passage = 0 and ${rowId} = any(${sql.param(ids)}::${keyTypeSql({ keyType })}[])`,
  );
  return new Map(rows.map(({ id, hash }) => [id, hash]));
}

const byId = <Row extends { id: string }>(rows: readonly Row[]) => new Map(rows.map((row) => [row.id, row]));

/**
 * Rows that one half found and the other did not get their score of the other as well, so that a row's score is the same
 * however many rows each half is asked for.
 */
async function rankBoth(db: SearchConnection, ranking: Ranking & Required<Ranking>): Promise<RankedRow[]> {
  const { declaration, filter, limit, words, meaning } = ranking;
  if (!words || !meaning) return [];
  const matching = byId(await findMatchingRows(db, declaration, { ...words, limit, filter }));
  const nearest = byId(await findNearestRows(db, declaration, { ...meaning, limit, filter }));
  const without = (found: ReadonlyMap<string, unknown>, other: ReadonlyMap<string, unknown>) => {
    const ids = [...other.keys()].filter((id) => !found.has(id));
    return ids.length > 0 ? { filter: and(filter, hasId(ranking, ids)), limit: ids.length } : undefined;
  };
  const [unmatched, unseen] = [without(matching, nearest), without(nearest, matching)];
  const alsoMatching = unmatched ? await findMatchingRows(db, declaration, { ...words, ...unmatched }) : [];
  const alsoNear = unseen ? await scanExactly(db, declaration, { ...meaning, ...unseen }) : [];
  const all = {
    words: new Map<string, MatchingRow>([...matching, ...byId(alsoMatching)]),
    meaning: new Map<string, NearestRow>([...nearest, ...byId(alsoNear)]),
  };
  const ids = [...new Set([...all.words.keys(), ...all.meaning.keys()])];
  const hashes = await readWordHashes(db, ranking, ids);
  return ids.flatMap((id) => {
    const byWords = all.words.get(id);
    const vector = all.meaning.get(id);
    // Rows whose vectors are out of date are ranked by their new words only.
    const byMeaning = vector && (hashes.get(id) ?? vector.textHash) === vector.textHash ? vector : undefined;
    const place = byWords ?? byMeaning;
    if (!place) return [];
    const halves = { words: byWords?.score ?? 0, meaning: byMeaning ? similarityOf(byMeaning) : 0 };
    const matched: Matched[] = [];
    if (byWords) matched.push("words");
    if (byMeaning && nearest.has(id)) matched.push("meaning");
    return { ...placeOf(place), id, halves, score: weighted(halves, meaning.weight), matched };
  });
}

/**
 * The rows of a search, best first: by words, by meaning, or by the weighted sum of both scores. To be called in a
 * transaction.
 */
export async function rank(db: SearchConnection, ranking: Ranking): Promise<RankedRow[]> {
  const { declaration, filter, limit, words, meaning } = ranking;
  if (words && meaning) return (await rankBoth(db, ranking)).toSorted(byScore);
  if (words) {
    const found = await findMatchingRows(db, declaration, { ...words, limit, filter });
    return found.map((row) => ({ ...row, halves: { words: row.score, meaning: 0 }, matched: ["words"] }));
  }
  if (!meaning) return [];
  const found = await findNearestRows(db, declaration, { ...meaning, limit, filter });
  return found.map(({ distance, ...row }) => {
    const score = similarityOf({ distance });
    return { ...row, score, halves: { words: 0, meaning: score }, matched: ["meaning"] };
  });
}

import { type SQL, sql } from "drizzle-orm";
import type { EmbeddingDeclaration } from "../declare/declaration.ts";
import { rowIdColumn, rowsSql } from "../source.ts";
import { wordsTableSql } from "../words/words-table.ts";
import { rowsOf, type SearchConnection } from "./connection.ts";
import type { Place } from "./nearest-rows.ts";
import type { WordStatistics } from "./word-statistics.ts";

// BM25: how much a word counts that comes again, and how much less in a long passage.
const K1 = 1.5;
const B = 0.75;
// Passages that are ranked: those with the rarest words of the query, where common ones would match too many.
const MOST_RANKED = 5_000;

// ts_rank of one word that comes n times, with equal weights, is 6/π² · (1 + 1/4 + … + 1/n²). So it tells n, without
// unpacking the passage's words.
const MOST_TIMES = 40;
const THRESHOLDS = Array.from({ length: MOST_TIMES }, (_, index) => {
  const upTo = (n: number) =>
    Array.from({ length: n }, (_, i) => 1 / (i + 1) ** 2).reduce((sum, part) => sum + part, 0);
  return ((upTo(index) + upTo(index + 1)) / 2) * (6 / Math.PI ** 2);
});
const TIMES = sql.raw(`'{${THRESHOLDS.join()}}'::float8[]`);

export type WordsQuery = WordStatistics & { limit: number; filter: SQL | undefined };

/** A row by its passage that matches best; `score` is from 0 to 1. */
export type MatchingRow = Place & { id: string; score: number };

/** The terms that choose the passages: all of them, unless the common ones would match too many. */
function chosenTerms(terms: WordStatistics["terms"]): string {
  let passages = 0;
  const chosen = terms
    .filter((term) => term.passages > 0)
    .toSorted((a, b) => a.passages - b.passages)
    .filter((term, index) => {
      passages += term.passages;
      return index === 0 || passages <= MOST_RANKED;
    });
  return chosen.map(({ query }) => query).join(" | ");
}

/** What the words of the query weigh in the language of a passage. */
function weightSql(weights: WordStatistics["weights"]): SQL {
  const most = sql`${Math.max(...weights.values())}::float8`;
  if (weights.size < 2) return most;
  const cases = [...weights].map(([language, weight]) => sql`when ${language} then ${weight}::float8`);
  return sql`case m.language ${sql.join(cases, sql` `)} else ${most} end`;
}

/**
 * The score of a passage by BM25: the weighted sum of times / (times + damping) over the terms, divided by the weights.
 * It is one expression that counts each term once, which takes a third of the time of a subquery over the terms. With
 * compounds, the sum may exceed the weights.
 */
function scoreSql({ terms, weights }: Pick<WordStatistics, "terms" | "weights">): SQL {
  const all = terms.reduce((sum, { weight }) => sum + weight, 0);
  const missed = terms.map(
    ({ query, weight }) => sql`${weight}::float8 /
      (width_bucket(ts_rank('{1,1,1,1}', m.words, ${query}::tsquery), ${TIMES}) + m.damping)`,
  );
  return sql`least(1, (${all}::float8 - m.damping * (${sql.join(missed, sql` + `)})) / ${weightSql(weights)})`;
}

/**
 * The rows with any word of a query, ranked by BM25, best first, and in the order of their keys as text. A score of 1 is
 * what no passage can exceed.
 */
export async function findMatchingRows(
  db: SearchConnection,
  declaration: EmbeddingDeclaration,
  { terms, weights, averageSize, limit, filter }: WordsQuery,
): Promise<MatchingRow[]> {
  const chosen = chosenTerms(terms);
  if (chosen === "") return [];
  const rowId = rowIdColumn(declaration);
  return rowsOf<MatchingRow>(
    db,
    sql`
      with matched as materialized (
        select w.${rowId} as id, w.text_hash, w.start, w.length, w.language, w.words,
          ${K1}::float8 * (1 - ${B}::float8 + ${B}::float8 * w.size / ${averageSize}::float8) as damping
        from ${wordsTableSql(declaration)} w join ${rowsSql(declaration, filter)} r on r.id = w.${rowId} and r.included
        where w.words @@ ${chosen}::tsquery limit ${MOST_RANKED}
      ), scored as (
        select m.id, m.text_hash, m.start, m.length, ${scoreSql({ terms, weights })} as score from matched m
      ), best as (select distinct on (id) * from scored order by id, score desc, start)
      select b.id::text as id, b.text_hash::text as "textHash", b.start, b.length, b.score
      from best b order by b.score desc, b.id::text collate "C" limit ${limit}`,
  );
}

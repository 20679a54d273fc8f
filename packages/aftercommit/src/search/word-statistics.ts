import { sql } from "drizzle-orm";
import { quoted } from "../db/identifiers.ts";
import type { EmbeddingDeclaration } from "../declare/declaration.ts";
import { wordsTable, wordsTableSql } from "../words/words-table.ts";
import { rowsOf, type SearchConnection } from "./connection.ts";
import type { Term } from "./word-query.ts";

/** A term with how much it says: the rarer, the more (the idf of BM25). `passages` is how many have it. */
type WeightedTerm = Term & { passages: number; weight: number };

export type WordStatistics = { averageSize: number; terms: WeightedTerm[] };

// Exact up to this many; more are estimated by the statistics of ANALYZE, which have every lexeme that is so common.
const MOST_COUNTED = 10_000;
const SAMPLE = 1_000;

type Row = { passages: number; all: number; averageSize: number | null };

/** How common the terms of a query are in a table, and how long its passages are, in words. */
export async function readStatistics(
  db: SearchConnection,
  declaration: EmbeddingDeclaration,
  terms: readonly Term[],
): Promise<WordStatistics> {
  const words = wordsTableSql(declaration);
  const { schema, name } = wordsTable(declaration);
  const capped = MOST_COUNTED + 1;
  const rows = await rowsOf<Row>(
    db,
    sql`
      with size as materialized (
        select greatest((select count(*) from (select from ${words} limit ${capped}) c),
          (select reltuples from pg_class where oid = ${quoted({ schema, name })}::regclass)) as passages,
          (select avg(s.size)::float8 from (select w.size from ${words} w where w.size > 0 limit ${SAMPLE}) s) as average
      ), common as materialized (
        select u.lexeme, u.share from pg_stats s,
          unnest(s.most_common_elems::text::text[], s.most_common_elem_freqs) as u (lexeme, share)
        where s.schemaname = ${schema} and s.tablename = ${name} and s.attname = 'words' and u.lexeme is not null
      )
      select case when size.passages >= ${capped} and c.share is not null then c.share * size.passages
          else (select count(*) from (select from ${words} w where w.words @@ t.query::tsquery limit ${capped}) f)
        end::float8 as passages,
        size.passages::float8 as all, size.average as "averageSize"
      from size, unnest(${sql.param(terms.map(({ lexeme }) => lexeme))}::text[],
        ${sql.param(terms.map(({ query }) => query))}::text[]) with ordinality as t (lexeme, query, place)
      left join common c on c.lexeme = t.lexeme order by t.place`,
  );
  return {
    averageSize: rows[0]?.averageSize ?? 1,
    terms: terms.map((term, index) => {
      const { passages = 0, all = 0 } = rows[index] ?? {};
      return {
        ...term,
        passages,
        weight: Math.log(1 + (Math.max(0, all - passages) + 0.5) / (passages + 0.5)),
      };
    }),
  };
}

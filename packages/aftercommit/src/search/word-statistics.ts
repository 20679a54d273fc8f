import { type SQL, sql } from "drizzle-orm";
import { quoted } from "../db/identifiers.ts";
import type { EmbeddingDeclaration } from "../declare/declaration.ts";
import { rowIdColumn, rowsSql } from "../source.ts";
import { wordsTable, wordsTableSql } from "../words/words-table.ts";
import { rowsOf, type SearchConnection } from "./connection.ts";
import type { Term } from "./word-query.ts";

/** A term with how much it says: the rarer, the more (the idf of BM25, times its share). `passages` is how many have it. */
type WeightedTerm = Term & { passages: number; weight: number };

export type WordStatistics = {
  averageSize: number;
  terms: WeightedTerm[];
  /** What the words of the query weigh together, in each language. */
  weights: ReadonlyMap<string, number>;
};

// Exact up to this many; more are estimated by the statistics of ANALYZE, which have every lexeme that is so common.
const MOST_COUNTED = 10_000;
const SAMPLE = 1_000;
// Compounds with a word are looked for if fewer passages have the word itself.
const FEW = 10;

type Row = { passages: number; all: number; averageSize: number | null };

const capped = MOST_COUNTED + 1;

/** The number of passages and their average size, of a table or of the passages of one tenant. */
function sizeSql(declaration: EmbeddingDeclaration, words: SQL, tenant: SQL | undefined): SQL {
  if (tenant)
    return sql`select count(*) as passages, avg(c.size) filter (where c.size > 0)::float8 as average
      from (select w.size from ${words} w limit ${capped}) c`;
  return sql`
    select case when c.reltuples >= ${capped} then c.reltuples
        else (select count(*) from (select from ${words} limit ${capped}) f) end as passages,
      (select avg(s.size)::float8 from (select w.size from ${words} w where w.size > 0 limit ${SAMPLE}) s) as average
    from pg_class c where c.oid = ${quoted(wordsTable(declaration))}::regclass`;
}

/** How often the table's common lexemes come, of these. Reading pg_stats takes longer to plan than the rest of a search. */
function commonSql(declaration: EmbeddingDeclaration, lexemes: readonly (string | null)[]): SQL {
  const { schema, name } = wordsTable(declaration);
  return sql`select u.lexeme, u.share from pg_stats s,
      unnest(s.most_common_elems::text::text[], s.most_common_elem_freqs) as u (lexeme, share)
    where s.schemaname = ${schema} and s.tablename = ${name} and s.attname = 'words'
      and u.lexeme = any(${sql.param(lexemes)}::text[])`;
}

const NOTHING_COMMON = sql`select null::text as lexeme, null::float8 as share where false`;

type Asked = { terms: readonly Term[]; tenant: SQL | undefined };

async function readTerms(
  db: SearchConnection,
  declaration: EmbeddingDeclaration,
  { terms, tenant }: Asked,
): Promise<Omit<WordStatistics, "weights">> {
  const table = wordsTableSql(declaration);
  const words = tenant
    ? sql`(select p.* from ${table} p join ${rowsSql(declaration, tenant)} r
        on r.id = p.${rowIdColumn(declaration)} and r.included)`
    : table;
  // The statistics are of whole lexemes, and of the rows of all tenants.
  const lexemes = terms.map(({ lexeme, isPrefix }) => (isPrefix ? null : lexeme));
  const isKnown = tenant === undefined && lexemes.some((lexeme) => lexeme !== null);
  const rows = await rowsOf<Row>(
    db,
    sql`
      with size as materialized (${sizeSql(declaration, words, tenant)}
      ), common as materialized (${isKnown ? commonSql(declaration, lexemes) : NOTHING_COMMON}
      )
      select case when size.passages >= ${capped} and c.share is not null then c.share * size.passages
          else (select count(*) from (select from ${words} w where w.words @@ t.query::tsquery limit ${capped}) f)
        end::float8 as passages,
        size.passages::float8 as all, size.average as "averageSize"
      from size, unnest(${sql.param(lexemes)}::text[],
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
        weight: term.share * Math.log(1 + (Math.max(0, all - passages) + 0.5) / (passages + 0.5)),
      };
    }),
  };
}

/**
 * How common the terms of a query are in a table, and how long its passages are, in words. With the terms of compounds,
 * where few passages have the word itself. With a tenant, only that tenant's passages are counted, or its results would
 * tell of the words of others.
 */
export async function readStatistics(
  db: SearchConnection,
  declaration: EmbeddingDeclaration,
  { terms, tenant }: Asked,
): Promise<WordStatistics> {
  const whole = await readTerms(db, declaration, { terms, tenant });
  const compounds = whole.terms.flatMap((term) => (term.passages < FEW ? term.compounds : []));
  const weights = new Map<string, number>();
  for (const { language, weight } of whole.terms)
    weights.set(language, (weights.get(language) ?? 0) + weight);
  if (compounds.length === 0) return { ...whole, weights };
  const parts = await readTerms(db, declaration, { terms: compounds, tenant });
  return { ...whole, weights, terms: [...whole.terms, ...parts.terms] };
}

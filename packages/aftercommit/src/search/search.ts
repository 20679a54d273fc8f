import type { EmbeddingDeclaration } from "../declare/declaration.ts";
import type { Model } from "../models/models.ts";
import { PausedError } from "../providers/errors.ts";
import { providerOf } from "../providers/provider-of.ts";
import { withDeadline } from "../with-deadline.ts";
import type { Lexicon } from "../words/lexemes.ts";
import { languagesOf, readLexicons } from "../words/lexicons.ts";
import { withActiveModel } from "./active-model.ts";
import { beginReading, type Reading, type SearchConnection } from "./connection.ts";
import { filterSql, tenantSql } from "./filters.ts";
import { checkOptions, type SearchOptions } from "./options.ts";
import { pageOf, type SearchPage } from "./page.ts";
import { type Ranking, rank } from "./rank.ts";
import { RERANKED, rerankedPageOf } from "./reranked-page.ts";
import { available, NO_DATABASE, NO_PROVIDER, SearchUnavailableError } from "./unavailable.ts";
import { vectorOfQuery } from "./vector-of-query.ts";
import { ofMeaning } from "./weights.ts";
import { withWordConditions } from "./word-conditions.ts";
import { parseQuery, withoutExcluded } from "./word-query.ts";
import { readStatistics } from "./word-statistics.ts";

// Of the time of a search, what the database needs after the provider has answered.
const DATABASE_MS = 1_500;

type Ask = Reading & { declaration: EmbeddingDeclaration; text: string; mode: SearchOptions["mode"] };

async function vectorOf(
  { declaration, text, mode, pool, deadline }: Ask,
  model: Model,
): Promise<Float32Array> {
  // A search by meaning tries a paused model all the same: nothing else would answer it.
  if (mode === "hybrid" && model.pausedUntil !== null)
    throw new PausedError({ ...model, pausedUntil: model.pausedUntil });
  const ask = async () => vectorOfQuery(text, { model, provider: providerOf(declaration, model), db: pool });
  return withDeadline(ask, deadline - DATABASE_MS);
}

/** How the words of a query are looked for: in each language that the table's rows are in. */
async function lexiconsOf(
  declaration: EmbeddingDeclaration,
  query: string,
  { pool, deadline }: Reading,
): Promise<Lexicon[]> {
  const languages = languagesOf(declaration);
  const texts = languages.map((language) => ({ language, text: query }));
  const read = () => withDeadline(() => readLexicons(pool.$client, declaration, texts), deadline);
  return languages.map(await available(read, NO_DATABASE));
}

type Meaning = NonNullable<Ranking["meaning"]> & ReturnType<typeof ofMeaning>;

/** One page of the rows that match, by their words and by their meaning. */
async function findPage(
  declaration: EmbeddingDeclaration,
  checked: ReturnType<typeof checkOptions>,
  reading: Reading,
): Promise<SearchPage> {
  const { query, where, mode, minScore } = checked;
  const text = withoutExcluded(query);
  const words = parseQuery(query, await lexiconsOf(declaration, query, reading));
  const filter = withWordConditions(declaration, filterSql(declaration, where), words);
  const tenant = tenantSql(declaration, where);
  const identity = [declaration.row, query, where, mode, minScore];
  const page = pageOf({ ...checked, ...reading, declaration, identity });
  const read = (meaning?: Meaning) =>
    page(async (client, of) => {
      const statistics = await readStatistics(client, declaration, { terms: words.terms, tenant });
      const ranking = { ...of, declaration, filter, meaning };
      const rows = await rank(client, { ...ranking, words: mode === "meaning" ? undefined : statistics });
      const { terms } = statistics;
      const isKnown = terms.some(({ passages }) => passages > 0);
      const least = meaning && !isKnown ? meaning.minScore : 0;
      return { rows: rows.filter(({ halves }) => halves.meaning >= least), terms };
    });
  if (mode === "words") return read();
  return withActiveModel(async (model) => {
    let vector: Float32Array;
    try {
      const ask = { ...reading, declaration, text, mode };
      vector = await available(() => vectorOf(ask, model), NO_PROVIDER);
    } catch (error) {
      if (mode === "meaning" || !(error instanceof SearchUnavailableError)) throw error;
      return { ...(await read()), degraded: error.message };
    }
    return read({ vector, model, ...ofMeaning(declaration, model.name) });
  }, reading);
}

/**
 * Searches an embedded table by words and by meaning, best rows first, each with its best passage. While the embedding
 * provider does not answer, or its budget is used up, a hybrid search is made by words only and says so. A declared
 * reranker puts the best 50 in order, except in a search by words; without its answer they stay as they are.
 * Rejects with InvalidSearchError if an option is invalid, and with SearchUnavailableError if the database, or the
 * provider of a search by meaning, does not answer within 5 seconds, or if the declaration's `text` or `where` fails on
 * a row.
 *
 * @param db Your own connection, if its transaction, role and row level security should apply. Defaults to
 * Aftercommit's pool.
 * @example
 * const { results, next } = await search(posts, {
 *   query: "teaching a dog",
 *   where: { author: "Jane", created_at: { gte: "2026-01-01" } },
 * });
 */
export async function search(
  declaration: EmbeddingDeclaration,
  options: SearchOptions,
  { db }: { db?: SearchConnection } = {},
): Promise<SearchPage> {
  const checked = checkOptions(declaration, options);
  const reading = beginReading(db);
  // Words are searched for while a person types, and never cost anything.
  if (!declaration.reranker || checked.mode === "words") return findPage(declaration, checked, reading);
  const page = rerankedPageOf(declaration, { ...checked, ...reading, reranker: declaration.reranker });
  return page(() => findPage(declaration, { ...checked, limit: RERANKED, after: undefined }, reading));
}

import { type SQL, sql } from "drizzle-orm";
import { tableSql } from "../db/identifiers.ts";
import type { EmbeddingDeclaration } from "../declare/declaration.ts";
import { isOfOneRow, rootCodeOf, rootMessageOf } from "../errors.ts";
import { log } from "../log.ts";
import { type KeyType, keyTypeOf } from "../source.ts";
import { DeadlineError, withDeadline } from "../with-deadline.ts";
import { readLexicons } from "../words/lexicons.ts";
import { isPool, type Reading, readInTransaction, rowsOf, type SearchConnection } from "./connection.ts";
import { digestOf, isAfter, readCursor, writeCursor } from "./cursor.ts";
import { filterSql } from "./filters.ts";
import { highlight } from "./highlight.ts";
import { InvalidSearchError, type SimilarOptions } from "./options.ts";
import { readPresentRows } from "./present-rows.ts";
import type { Matched, RankedRow } from "./rank.ts";
import { available, NO_DATABASE, SearchUnavailableError } from "./unavailable.ts";
import type { Term } from "./word-query.ts";

/** A row that was found. */
export type SearchResult = {
  id: string;
  /** The declared columns, as they are now. */
  columns: Record<string, unknown>;
  /** The passage of the row's text that matched. */
  passage: string;
  /** About 300 characters of it as escaped HTML, with each word of the query in a `<mark>`. */
  highlight: string;
  /** How well it matches, from 0 to 1. */
  score: number;
  /** What it was found by. */
  matched: Matched[];
};

/** One page of results. */
export type SearchPage = {
  /** Best first. */
  results: SearchResult[];
  /** Pass it as `after` to get the next page; null on the last one. */
  next: string | null;
  /** Why a hybrid search was made by words only, such as a provider that does not answer. */
  degraded?: string;
};

// How many rows are ranked at least; and where pages end.
const LEAST_RANKED = 100;
const MOST_RANKED = 1_000;
// The time that is left is told to Postgres again when this much of it has passed.
const COARSE_MS = 500;
// Postgres's error for values that cannot be compared.
const NOT_COMPARABLE = "42883";

type Asked = Reading &
  Required<Pick<SimilarOptions, "limit" | "minScore">> & {
    declaration: EmbeddingDeclaration;
    where: NonNullable<SimilarOptions["where"]>;
    /** Everything that decides the order of the results, which a cursor belongs to. */
    identity: unknown;
    after: string | undefined;
  };

/** Finds rows, best first, and the terms to highlight in them. Called in a transaction. */
type Find = (
  client: SearchConnection,
  of: { keyType: KeyType; limit: number },
) => Promise<{ rows: RankedRow[]; terms: readonly Term[] }>;

/** Gives each statement what is left of the time of a search. */
function boundedBy(client: SearchConnection, deadline: number): SearchConnection {
  let told = Number.POSITIVE_INFINITY;
  return {
    async query(text, values) {
      const left = deadline - Date.now();
      if (left <= 0) throw new DeadlineError("no time is left for this search");
      if (told - left > COARSE_MS) {
        told = left;
        await client.query("select set_config('statement_timeout', $1, true)", [String(left)]);
      }
      return client.query(text, values);
    },
  };
}

const isOfAValue = (error: unknown) => isOfOneRow(error) || rootCodeOf(error) === NOT_COMPARABLE;

/** Rejects with InvalidSearchError if the filter is invalid. It reads no row, so the message shows no value of one. */
async function requireFilter({ db, declaration, deadline }: Asked, filter: SQL): Promise<void> {
  const query = sql`select from ${tableSql(declaration.table)} where ${filter} limit 0`;
  try {
    await readInTransaction(db, (client) => rowsOf(boundedBy(client, deadline), query));
  } catch (error) {
    if (isOfAValue(error)) throw new InvalidSearchError(`where: ${rootMessageOf(error)}`);
    throw error;
  }
}

/** The options of a declaration that are evaluated on each row, and may fail on one. */
const expressionsOf = ({ text, where }: EmbeddingDeclaration) =>
  [typeof text === "string" ? "text" : undefined, where && "where"].filter((option) => option !== undefined);

/**
 * Makes a function that reads the page of a search with the rows that another one finds.
 * @throws {InvalidSearchError} if the cursor is invalid
 */
export function pageOf(asked: Asked): (find: Find) => Promise<SearchPage> {
  const { declaration, db, pool, where, limit, minScore, deadline } = asked;
  const filter = filterSql(declaration, where);
  const digest = digestOf(asked.identity);
  const cursor = asked.after === undefined ? undefined : readCursor(asked.after, digest);
  const place = (cursor?.place ?? 0) + limit;

  async function read(client: SearchConnection, keyType: KeyType, find: Find): Promise<SearchPage> {
    const most = Math.min(MOST_RANKED, Math.max(LEAST_RANKED, place + 1));
    const { rows, terms } = await find(client, { keyType, limit: most });
    const ranked = rows.filter((row) => row.score >= minScore && (!cursor || isAfter(row, cursor)));
    const places = ranked.slice(0, limit);
    const shown = await readPresentRows(client, declaration, { keyType, filter, places });
    const texts = [...shown.values()].map(({ language, passage }) => ({ language, text: passage }));
    const lexiconOf = await readLexicons(client, declaration, terms.length > 0 ? texts : []);
    const results = places.flatMap(({ id, score, matched }): SearchResult[] => {
      const { language = "", ...row } = shown.get(id) ?? {};
      if (!("passage" in row)) return [];
      return [{ ...row, highlight: highlight(row.passage, terms, lexiconOf(language)), score, matched }];
    });
    const last = ranked.length > limit ? places.at(-1) : undefined;
    return { results, next: last ? writeCursor({ score: last.score, id: last.id, place }, digest) : null };
  }

  async function attempt(find: Find): Promise<SearchPage> {
    const keyType = await withDeadline(() => keyTypeOf(pool, declaration), deadline);
    const work = () => readInTransaction(db, (client) => read(boundedBy(client, deadline), keyType, find));
    try {
      // The caller's client must be idle when the search ends; a pool's may end its work later.
      return await (isPool(db) ? withDeadline(work, deadline) : work());
    } catch (error) {
      if (!isOfAValue(error)) throw error;
      if (filter) await requireFilter(asked, filter);
      const options = expressionsOf(declaration).join(" or ");
      if (options === "") throw error;
      // Only the log shows Postgres's message, which has a value of the row.
      const message = `aftercommit.config.ts: ${options} of ${declaration.row} cannot be evaluated on a row`;
      log("error", "search.unavailable", { error: message, cause: rootMessageOf(error) });
      throw new SearchUnavailableError(message, { cause: error });
    }
  }

  return (find) => available(() => attempt(find), NO_DATABASE);
}

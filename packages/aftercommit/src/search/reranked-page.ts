import { createHash } from "node:crypto";
import type { EmbeddingDeclaration } from "../declare/declaration.ts";
import type { Reranker } from "../declare/reranker.ts";
import { keepLast } from "../keep-last.ts";
import { askReranker } from "../providers/ask-reranker.ts";
import { withDeadline } from "../with-deadline.ts";
import type { Reading } from "./connection.ts";
import { digestOf, readCursor, writeCursor } from "./cursor.ts";
import type { checkOptions } from "./options.ts";
import type { SearchPage, SearchResult } from "./page.ts";
import { available, SearchUnavailableError } from "./unavailable.ts";
import { withoutExcluded } from "./word-query.ts";

/** How many of the best rows a reranker rates. Its pages end after them. */
export const RERANKED = 50;
// Of the time of a search, what is left for the response.
const RESPONSE_MS = 200;
const NO_RERANKER = "The reranker does not answer now, so the results are in their order without it";

const keep = keepLast<readonly number[]>(200);

type Asked = ReturnType<typeof checkOptions> & Reading & { reranker: Reranker };

/** The scores of passages. Those of the last 200 searches are kept, as a search for the next page asks again. */
async function scoresOf(
  { row }: EmbeddingDeclaration,
  { reranker, pool, deadline, ...asked }: Asked,
  passages: readonly string[],
): Promise<readonly number[]> {
  const name = `${row} reranker`;
  const query = withoutExcluded(asked.query);
  const hash = createHash("sha256")
    .update(JSON.stringify([name, query, passages]))
    .digest("base64");
  const until = deadline - RESPONSE_MS;
  const ask = () => askReranker({ db: pool, name, reranker, query, passages, deadline: until });
  return withDeadline(() => keep(hash, ask), until);
}

async function rerank(
  declaration: EmbeddingDeclaration,
  asked: Asked,
  found: SearchPage,
): Promise<SearchPage> {
  if (found.results.length === 0) return found;
  try {
    const passages = found.results.map(({ passage }) => passage);
    const scores = await available(() => scoresOf(declaration, asked, passages), NO_RERANKER);
    const results = found.results.map((result, index): SearchResult => {
      return { ...result, score: Math.min(1, Math.max(0, scores[index] ?? 0)) };
    });
    return { ...found, results: results.toSorted((a, b) => b.score - a.score) };
  } catch (error) {
    if (!(error instanceof SearchUnavailableError)) throw error;
    return { degraded: error.message, ...found };
  }
}

/**
 * Makes a function that reads a page of the best rows, which `find` finds, in the order of a reranker. While it does
 * not answer, they stay in their order, and the page says so.
 * @throws {InvalidSearchError} if the cursor is invalid
 */
export function rerankedPageOf(
  declaration: EmbeddingDeclaration,
  asked: Asked,
): (find: () => Promise<SearchPage>) => Promise<SearchPage> {
  const { query, where, mode, minScore, limit, after } = asked;
  const digest = digestOf(["reranked", declaration.row, query, where, mode, minScore]);
  const from = after === undefined ? 0 : readCursor(after, digest).place;
  const place = from + limit;
  return async (find) => {
    const page = await rerank(declaration, asked, await find());
    const results = page.results.slice(from, place);
    const last = page.results.length > place ? results.at(-1) : undefined;
    return {
      ...page,
      results,
      next: last ? writeCursor({ score: last.score, id: last.id, place }, digest) : null,
    };
  };
}

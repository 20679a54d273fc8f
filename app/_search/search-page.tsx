import {
  declarationsOf,
  embeddingsOf,
  InvalidSearchError,
  SearchUnavailableError,
  searchQuery,
  searchRows,
} from "aftercommit";
import * as config from "../../aftercommit.config.ts";
import { SearchProblem, SearchResults } from "./search-results.tsx";

/** The page of a search: results, or why there are none. */
export async function searchPage(q: string) {
  try {
    const { declaration, ...query } = searchQuery(embeddingsOf(declarationsOf(config)), { q });
    const results = await searchRows(declaration, query);
    return <SearchResults q={query.q} declaration={declaration} results={results} />;
  } catch (error) {
    if (!(error instanceof InvalidSearchError) && !(error instanceof SearchUnavailableError)) throw error;
    return <SearchProblem message={error.message} />;
  }
}

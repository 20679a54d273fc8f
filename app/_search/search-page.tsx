import {
  declarationsOf,
  embeddingsOf,
  InvalidSearchError,
  SearchUnavailableError,
  search,
  searchRequest,
} from "aftercommit";
import * as config from "../../aftercommit.config.ts";
import { SearchProblem, SearchResults } from "./search-results.tsx";

/** The page of a search: results, or why there are none. */
export async function searchPage(q: string) {
  try {
    const { declaration, options } = searchRequest(
      embeddingsOf(declarationsOf(config)),
      new URLSearchParams({ q }),
    );
    const { results } = await search(declaration, options);
    return <SearchResults q={q} declaration={declaration} results={results} />;
  } catch (error) {
    if (!(error instanceof InvalidSearchError) && !(error instanceof SearchUnavailableError)) throw error;
    return <SearchProblem message={error.message} />;
  }
}

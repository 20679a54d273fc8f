import {
  type EmbeddingDeclaration,
  InvalidSearchError,
  RowNotFoundError,
  type SearchPage,
  SearchUnavailableError,
  search,
  searchRequest,
  similar,
} from "aftercommit";
import { searchParameters } from "./parameters.ts";
import { SearchProblem, SearchResults } from "./search-results.tsx";

const SHOWN = [InvalidSearchError, RowNotFoundError, SearchUnavailableError];

type Asked = Readonly<Record<string, string>>;

/** The address of another search, of the same fields but for some. */
const addressOf = (asked: Asked, changes: Record<string, string>) =>
  `/?${new URLSearchParams(Object.entries({ ...asked, ...changes }).filter(([, value]) => value !== ""))}`;

const isFilter = (name: string) => name.startsWith("where[");

function Hints({ asked, rows }: { asked: Asked; rows: string }) {
  const withoutFilters = Object.fromEntries(
    Object.keys(asked)
      .filter(isFilter)
      .map((name) => [name, ""]),
  );
  return (
    <ul>
      {asked.mode === "words" && (
        <li>
          <a href={addressOf(asked, { mode: "" })}>Search by meaning, too</a>: that finds {rows} that share no
          word with yours.
        </li>
      )}
      {Object.keys(withoutFilters).length > 0 && (
        <li>
          <a href={addressOf(asked, withoutFilters)}>Search without the filters</a>.
        </li>
      )}
      <li>
        Words in quotation marks must be there in that order, and <code>-word</code> excludes a word.
      </li>
      <li>
        New {rows} are found by their words within seconds, and by their meaning once they are embedded.
      </li>
    </ul>
  );
}

function Below({ asked, next }: { asked: Asked; next: string | null }) {
  return (
    <nav className="below" aria-label="More">
      {next !== null && <a href={addressOf(asked, { after: next })}>More results</a>}
      {asked.similar && asked.q && (
        <a href={addressOf(asked, { similar: "", after: "" })}>Back to the results</a>
      )}
      <a href="/">Back to the status</a>
    </nav>
  );
}

/**
 * The results of a search, or why there are none. What another site links to is searched by words only: it must not
 * spend the provider's budget.
 */
export async function searchPage(
  declarations: readonly EmbeddingDeclaration[],
  asked: Asked,
  { isFromElsewhere }: { isFromElsewhere: boolean },
) {
  const { q = "", similar: id } = asked;
  const parameters = searchParameters(Object.entries(asked));
  if (isFromElsewhere) parameters.set("mode", "words");
  try {
    const { declaration, options } = searchRequest(declarations, parameters);
    const page: SearchPage = await (id ? similar(declaration, id, options) : search(declaration, options));
    const elsewhere = { ...page, degraded: "This search comes from another site; search again here" };
    const heading = id ? (
      <>
        Similar to <b>{`${declaration.row} ${id}`}</b>
      </>
    ) : (
      <>
        Results for <b>“{q}”</b>
      </>
    );
    return (
      <SearchResults
        heading={heading}
        page={isFromElsewhere && !id ? elsewhere : page}
        table={declaration}
        similarTo={(row) => addressOf(asked, { similar: row, after: "" })}
        hints={<Hints asked={asked} rows={declaration.rows} />}
      >
        <Below asked={asked} next={page.next} />
      </SearchResults>
    );
  } catch (error) {
    if (!(error instanceof Error) || !SHOWN.some((type) => error instanceof type)) throw error;
    return (
      <SearchProblem message={error.message}>
        <Below asked={asked} next={null} />
      </SearchProblem>
    );
  }
}

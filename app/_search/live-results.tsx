import { SearchResults, type Table } from "./search-results.tsx";
import type { Live } from "./use-live-search.ts";

export function LiveResults({ live, table }: { live: Live; table: Table }) {
  const { q, page, error } = live;
  if (!page)
    return (
      <p className="results-title" role="status">
        {error}
      </p>
    );
  return (
    <SearchResults
      heading={
        <span role="status">
          {page.results.length === 0 ? "Nothing" : "Found"} by the words of <b>“{q}”</b>. Press Enter to
          search by meaning, too.
        </span>
      }
      page={page}
      table={table}
      similarTo={(id) => `/?${new URLSearchParams({ q, in: table.rows, similar: id })}`}
      hints={<p>Press Enter to search by meaning: that finds {table.rows} that share no word with yours.</p>}
    />
  );
}

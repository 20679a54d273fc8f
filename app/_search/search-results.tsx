import type { EmbeddingDeclaration, SearchPage, SearchResult } from "aftercommit";
import type { ReactNode } from "react";
import { Marked, piecesOf, splitAt } from "./marked.tsx";

/** What the page has to know of a declared table. */
export type Table = Pick<EmbeddingDeclaration, "row" | "rows" | "columns" | "filters">;

/** The first declared column names a row; the others are shown as details. */
function shown({ id, columns, highlight }: SearchResult, { row, columns: names }: Table) {
  const [title = "", ...facts] = names.map((name) => String(columns[name] ?? ""));
  const pieces = piecesOf(highlight);
  const text = pieces.map((piece) => piece.text).join("");
  // The first passage of a row starts with its title.
  const [name, snippet] =
    title && text.startsWith(title) ? splitAt(pieces, title.length) : [undefined, pieces];
  return {
    name: name ? <Marked pieces={name} /> : title || `${row} ${id}`,
    snippet: <Marked pieces={snippet} />,
    facts: facts.filter((fact) => fact !== ""),
  };
}

function Score({ score, matched }: Pick<SearchResult, "score" | "matched">) {
  const percent = Math.round(Math.min(1, Math.max(0, score)) * 100);
  return (
    <span className="score" title="How well it matches, from 0 to 1, and what it was found by">
      <svg viewBox="0 0 100 6" width="60" height="6" preserveAspectRatio="none" aria-hidden="true">
        <rect className="track" width="100" height="6" rx="3" />
        <rect className="fill" width={percent} height="6" rx="3" />
      </svg>
      {score.toFixed(2)} by {matched.join(" and ")}
    </span>
  );
}

type OfResult = { result: SearchResult; table: Table; similarTo: (id: string) => string };

function Result({ result, table, similarTo }: OfResult) {
  const { name, snippet, facts } = shown(result, table);
  return (
    <li className="result">
      <h2 title={`${table.row} ${result.id}`}>{name}</h2>
      <p className="snippet">{snippet}</p>
      <p className="facts note">
        {facts.map((fact) => (
          <span key={fact}>{fact}</span>
        ))}
        <Score {...result} />
        <a href={similarTo(result.id)}>
          Similar <span className="visually-hidden">{`to ${table.row} ${result.id}`}</span>
        </a>
      </p>
    </li>
  );
}

type Found = {
  heading: ReactNode;
  page: SearchPage;
  table: Table;
  /** The address of the rows that are similar to one. */
  similarTo: (id: string) => string;
  hints: ReactNode;
  children?: ReactNode;
};

export function SearchResults({ heading, page, table, similarTo, hints, children }: Found) {
  const { results, degraded } = page;
  return (
    <section aria-labelledby="results">
      <h1 id="results" className="results-title">
        {heading}
      </h1>
      {degraded !== undefined && (
        <p className="notice" data-tone="waiting">
          These are found by their words only. {degraded}.
        </p>
      )}
      {results.length === 0 ? (
        <div className="panel empty">
          <h2>No {table.rows} found</h2>
          {hints}
        </div>
      ) : (
        <ol className="panel results">
          {results.map((result) => (
            <Result key={result.id} result={result} table={table} similarTo={similarTo} />
          ))}
        </ol>
      )}
      {children}
    </section>
  );
}

export const SearchProblem = ({ message, children }: { message: string; children?: ReactNode }) => (
  <section aria-labelledby="problem">
    <h1 id="problem" className="results-title">
      No results
    </h1>
    <p className="notice" data-tone="bad" role="alert">
      {message}.
    </p>
    {children}
  </section>
);

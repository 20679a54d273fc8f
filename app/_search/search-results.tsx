import type { EmbeddingDeclaration, SearchResult } from "aftercommit";

type Of = Pick<EmbeddingDeclaration, "row" | "rows" | "columns">;

/** The first declared column names a row; the others are shown as details. */
function shown({ id, columns, passage: whole }: SearchResult, { row, columns: names }: Of) {
  const [title = "", ...facts] = names.map((name) => String(columns[name] ?? ""));
  // The first passage of a row starts with its title, which is already shown above it.
  const passage = title && whole.startsWith(title) ? whole.slice(title.length).trim() : whole;
  return { name: title || `${row} ${id}`, passage, facts: facts.filter((fact) => fact !== "") };
}

function Similarity({ score }: { score: number }) {
  const percent = Math.round(Math.min(1, Math.max(0, score)) * 100);
  return (
    <span className="similarity" title="Cosine similarity of the passage that matched">
      <svg viewBox="0 0 100 6" width="60" height="6" preserveAspectRatio="none" aria-hidden="true">
        <rect className="track" width="100" height="6" rx="3" />
        <rect className="fill" width={percent} height="6" rx="3" />
      </svg>
      similarity {score.toFixed(2)}
    </span>
  );
}

function Result({ result, of }: { result: SearchResult; of: Of }) {
  const { name, passage, facts } = shown(result, of);
  return (
    <li className="result">
      <h2 title={`${of.row} ${result.id}`}>{name}</h2>
      <p className="snippet">{passage}</p>
      <p className="facts note">
        {facts.map((fact) => (
          <span key={fact}>{fact}</span>
        ))}
        <Similarity score={result.score} />
      </p>
    </li>
  );
}

const BackToStatus = () => (
  <p>
    <a href="/">Back to the status</a>
  </p>
);

type Found = { q: string; declaration: EmbeddingDeclaration; results: SearchResult[] };

export function SearchResults({ q, declaration, results }: Found) {
  return (
    <section aria-labelledby="results">
      <h1 id="results" className="results-title">
        {results.length === 0 ? "Nothing to find yet for" : "Nearest in meaning to"} <b>“{q}”</b>
      </h1>
      {results.length === 0 && <p className="muted">No row has been embedded yet.</p>}
      {results.length > 0 && (
        <ol className="panel">
          {results.map((result) => (
            <Result key={result.id} result={result} of={declaration} />
          ))}
        </ol>
      )}
      <BackToStatus />
    </section>
  );
}

export function SearchProblem({ message }: { message: string }) {
  return (
    <section aria-labelledby="problem">
      <h1 id="problem" className="results-title">
        No results
      </h1>
      <p className="notice" data-tone="bad" role="alert">
        {message}.
      </p>
      <BackToStatus />
    </section>
  );
}

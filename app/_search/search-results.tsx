import type { SearchResult } from "../../lib/search/search-posts.ts";

// The first chunk of a post starts with its title, which stands above it already.
const withoutTitle = ({ title, snippet }: SearchResult) =>
  snippet.startsWith(title) ? snippet.slice(title.length).trim() : snippet;

function Similarity({ score }: { score: number }) {
  const percent = Math.round(Math.min(1, Math.max(0, score)) * 100);
  return (
    <span className="similarity" title="Cosine similarity of the chunk that matched">
      <svg viewBox="0 0 100 6" width="60" height="6" preserveAspectRatio="none" aria-hidden="true">
        <rect className="track" width="100" height="6" rx="3" />
        <rect className="fill" width={percent} height="6" rx="3" />
      </svg>
      similarity {score.toFixed(2)}
    </span>
  );
}

function Result({ result }: { result: SearchResult }) {
  return (
    <li className="result">
      <h2 title={`Post ${result.id}`}>{result.title || `Post ${result.id}`}</h2>
      <p className="snippet">{withoutTitle(result)}</p>
      <p className="facts note">
        <span>{result.author}</span>
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

export function SearchResults({ q, results }: { q: string; results: SearchResult[] }) {
  return (
    <section aria-labelledby="results">
      <h1 id="results" className="results-title">
        {results.length === 0 ? "Nothing to find yet for" : "Nearest in meaning to"} <b>“{q}”</b>
      </h1>
      {results.length === 0 && <p className="muted">No post has an embedding of the present model.</p>}
      {results.length > 0 && (
        <ol className="panel">
          {results.map((result) => (
            <Result key={result.id} result={result} />
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

import type { ReactNode } from "react";
import type { Counts, Lag } from "../../lib/status/read-status.ts";
import { duration, exactly } from "./format.ts";

const STATES = [
  ["embedded", "Embedded", "good"],
  ["pending", "Pending", "waiting"],
  ["stale", "Stale", "busy"],
  ["failed", "Failed", "bad"],
] as const;

function Fact({ name, tone, children }: { name: string; tone?: string; children: ReactNode }) {
  return (
    <div data-tone={tone}>
      <dt className="note">{name}</dt>
      <dd className="figure">{children}</dd>
    </div>
  );
}

/** How many posts there are of each state, and how long a change takes to be embedded. */
export function CountList({ counts, lag }: { counts: Counts; lag: Lag | undefined }) {
  return (
    <section aria-label="Embeddings of posts">
      <dl className="cards counts">
        {STATES.map(([state, name, tone]) => (
          <Fact key={state} name={name} tone={counts[state] > 0 ? tone : undefined}>
            {exactly(counts[state])}
          </Fact>
        ))}
        <Fact name="Commit to embedding">
          {lag ? duration(lag.p50) : "–"}{" "}
          <span className="note whole">{lag ? `95% in ${duration(lag.p95)}` : "no change today"}</span>
        </Fact>
      </dl>
      {counts.empty > 0 && (
        <p className="note">
          {exactly(counts.empty)} {counts.empty === 1 ? "post has" : "posts have"} no text to embed.
        </p>
      )}
    </section>
  );
}

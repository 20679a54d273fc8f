import type { Hold } from "aftercommit/status";
import { wordsOf } from "./format.ts";
import { Time } from "./time.tsx";

/** The rows on hold, of which nothing is cleaned up before their release. */
export function HoldList({ holds }: { holds: Hold[] }) {
  return (
    <section className="panel" aria-labelledby="holds">
      <h2 id="holds">On hold</h2>
      <ul className="steps">
        {holds.map(({ source, rowId, reason, heldAt }) => (
          <li key={`${source} ${rowId}`} data-tone="still">
            <span className="name">
              {wordsOf(source)} <code title={rowId}>{rowId.slice(0, 8)}</code>
            </span>{" "}
            <span className="note">
              since <Time at={heldAt} />: {reason}
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}

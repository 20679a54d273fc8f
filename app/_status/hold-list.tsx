import type { Hold } from "aftercommit/status";
import { wordsOf } from "./format.ts";
import { Time } from "./time.tsx";

const SHOWN = 10;

/** The rows that have been on hold longest. They are not cleaned up before their release. */
export function HoldList({ holds }: { holds: Hold[] }) {
  return (
    <section className="panel" aria-labelledby="holds">
      <h2 id="holds">On hold</h2>
      <ul className="steps">
        {holds.slice(0, SHOWN).map(({ source, rowId, reason, heldAt }) => (
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
      {holds.length > SHOWN && (
        <p className="muted">{holds.length - SHOWN} more: npx aftercommit deletions list has all of them.</p>
      )}
    </section>
  );
}

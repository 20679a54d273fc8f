import type { DeletionOnPage, Step } from "aftercommit/status";
import { wordsOf } from "./format.ts";
import { RunLink } from "./run-link.tsx";
import { Time } from "./time.tsx";

const TONES = { done: "good", failed: "bad", waiting: "waiting", skipped: "still" };

// Most systems are webhooks, and the host says which.
const shortName = (name: string) => name.replace(/^webhook:/, "");

function StepLine({ step: { name, state, at, error } }: { step: Step }) {
  return (
    <li data-tone={TONES[state]}>
      <span className="name">{shortName(name)}</span>{" "}
      <span className="note">
        <span className="word">{state}</span> {at && <Time at={at} />}
        {error && `: ${error}`}
      </span>
    </li>
  );
}

export function DeletionTable({ deletions }: { deletions: DeletionOnPage[] }) {
  return (
    <section className="panel" aria-labelledby="deletions">
      <h2 id="deletions">Latest deletions</h2>
      {deletions.length === 0 ? (
        <p className="muted">
          None yet. A deleted row is cleaned up in every external system, then confirmed by e-mail.
        </p>
      ) : (
        <table>
          <caption className="visually-hidden">The last deletions and their steps</caption>
          <thead>
            <tr>
              <th scope="col">Row</th>
              <th scope="col">Steps</th>
              <th scope="col" className="number">
                Run
              </th>
            </tr>
          </thead>
          <tbody>
            {deletions.map(({ id, source, rowId, requestedAt, completedAt, lastError, steps, run }) => (
              <tr key={id}>
                <th scope="row">
                  {wordsOf(source)} <code title={rowId}>{rowId.slice(0, 8)}</code>
                  <span className="note">
                    <Time at={requestedAt} /> <a href={`/api/deletion-receipt?id=${id}`}>receipt</a>
                  </span>
                </th>
                <td>
                  <ul className="steps">
                    {steps.map((step) => (
                      <StepLine key={step.name} step={step} />
                    ))}
                  </ul>
                  {lastError && !completedAt && steps.every(({ state }) => state !== "failed") && (
                    <p className="problem">{lastError}</p>
                  )}
                </td>
                <td className="number">
                  <RunLink run={run} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}

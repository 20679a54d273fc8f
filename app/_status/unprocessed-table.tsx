import type { UnprocessedOnPage } from "../../lib/status/read-status.ts";
import { exactly } from "./format.ts";
import { Time } from "./time.tsx";

const OUTCOMES = {
  ignored: ["Ignored", "still"],
  refused: ["Refused", "bad"],
  rejected: ["Rejected", "bad"],
} as const;

/** What came in the last days and no run was made for; nothing when there was no such message. */
export function UnprocessedTable({ messages }: { messages: UnprocessedOnPage[] }) {
  if (messages.length === 0) return null;
  return (
    <section className="panel" aria-labelledby="unprocessed">
      <h2 id="unprocessed">Messages without a run</h2>
      <table>
        <caption className="visually-hidden">
          Messages of the last 7 days that were rejected, requests without the right secret, then messages
          that were ignored
        </caption>
        <thead>
          <tr>
            <th scope="col">Message</th>
            <th scope="col">Outcome</th>
            <th scope="col" className="number">
              Number
            </th>
            <th scope="col" className="roomy number">
              Last
            </th>
          </tr>
        </thead>
        <tbody>
          {messages.map(({ route, outcome, reason, example, messages: number, lastAt }) => (
            <tr key={`${route} ${outcome} ${reason}`}>
              <th scope="row">
                <span className="title">{reason}</span>
                <span className="note">
                  {route} {outcome === "rejected" && example}
                </span>
              </th>
              <td>
                <span className="badge" data-tone={OUTCOMES[outcome][1]}>
                  {OUTCOMES[outcome][0]}
                </span>
              </td>
              <td className="number">{exactly(number)}</td>
              <td className="roomy number">
                <Time at={lastAt} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

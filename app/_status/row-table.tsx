import type { FailedRow, PendingRow, Run, TableStatus } from "aftercommit/status";
import type { ReactNode } from "react";
import { wordsOf } from "./format.ts";
import { RunLink } from "./run-link.tsx";
import { Time } from "./time.tsx";

type RowProps = {
  of: PendingRow | FailedRow;
  row: string;
  runs: ReadonlyMap<string, Run>;
  state: "Failed" | "Pending";
  children: ReactNode;
};

function Row({ of: { id, label, tag }, row, runs, state, children }: RowProps) {
  const name = `${wordsOf(row)} ${id}`;
  return (
    <tr>
      <th scope="row">
        <span className="title">{label || name}</span>
        {label && <span className="note">{name}</span>}
      </th>
      <td className="embedding">
        <span className="badge" data-tone={state === "Failed" ? "bad" : "waiting"}>
          {state}
        </span>{" "}
        {children}
      </td>
      <td className="number">
        <RunLink run={runs.get(tag)} />
      </td>
    </tr>
  );
}

type Props = Pick<TableStatus, "pending" | "failed"> & Pick<RowProps, "row" | "runs">;

export function RowTable({ pending, failed, row, runs }: Props) {
  return (
    <table>
      <caption className="visually-hidden">Failed rows, then the oldest pending rows</caption>
      <thead>
        <tr>
          <th scope="col">Row</th>
          <th scope="col">State</th>
          <th scope="col" className="number">
            Run
          </th>
        </tr>
      </thead>
      <tbody>
        {failed.map((one) => (
          <Row key={one.id} of={one} row={row} runs={runs} state="Failed">
            <span className="note">
              {one.error} – tried {one.attempts === 1 ? "once" : `${one.attempts} times`}, again{" "}
              {one.nextAttempt.getTime() > Date.now() ? <Time at={one.nextAttempt} /> : "soon"}
            </span>
          </Row>
        ))}
        {pending.map((one) => (
          <Row key={one.id} of={one} row={row} runs={runs} state="Pending">
            <span className="note whole">
              {one.queue} queue, <Time at={one.since} />
            </span>
          </Row>
        ))}
      </tbody>
    </table>
  );
}

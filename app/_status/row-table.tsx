import type { FailedRow, PendingRow, Run, TableStatus } from "aftercommit/status";
import type { ReactNode } from "react";
import { wordsOf } from "./format.ts";
import { RunLink } from "./run-link.tsx";
import { Time } from "./time.tsx";

type Runs = ReadonlyMap<string, Run>;

type RowProps = { of: PendingRow | FailedRow; row: string; runs: Runs; children: ReactNode };

function Row({ of: { id, label, tag }, row, runs, children }: RowProps) {
  const name = `${wordsOf(row)} ${id}`;
  return (
    <tr>
      <th scope="row">
        <span className="title">{label || name}</span>
        {label && <span className="note">{name}</span>}
      </th>
      {children}
      <td className="number">
        <RunLink run={runs.get(tag)} />
      </td>
    </tr>
  );
}

function Failed({ failed }: { failed: FailedRow }) {
  const { error, attempts, nextAttempt } = failed;
  return (
    <td className="embedding">
      <span className="badge" data-tone="bad">
        Failed
      </span>{" "}
      <span className="note">
        {error} – tried {attempts === 1 ? "once" : `${attempts} times`}, again{" "}
        {nextAttempt.getTime() > Date.now() ? <Time at={nextAttempt} /> : "soon"}
      </span>
    </td>
  );
}

function Pending({ pending: { queue, since } }: { pending: PendingRow }) {
  return (
    <td className="embedding">
      <span className="badge" data-tone="waiting">
        Pending
      </span>{" "}
      <span className="note whole">
        {queue} queue, <Time at={since} />
      </span>
    </td>
  );
}

type Props = Pick<TableStatus, "pending" | "failed"> & { row: string; runs: Runs };

/**
 * The failed rows of a table, then the oldest pending rows, with the reason or the waiting time, and the newest run.
 */
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
          <Row key={one.id} of={one} row={row} runs={runs}>
            <Failed failed={one} />
          </Row>
        ))}
        {pending.map((one) => (
          <Row key={one.id} of={one} row={row} runs={runs}>
            <Pending pending={one} />
          </Row>
        ))}
      </tbody>
    </table>
  );
}

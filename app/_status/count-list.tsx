import type { TableStatus } from "aftercommit/status";
import type { ReactNode } from "react";
import { counted, duration } from "./format.ts";

const STATES = [
  ["embedded", "Embedded", "good"],
  ["pending", "Pending", "waiting"],
  ["failed", "Failed", "bad"],
] as const;

type FactProps = { name: string; tone?: string; isNone: boolean; children: ReactNode };

function Fact({ name, tone, isNone, children }: FactProps) {
  return (
    <div data-tone={isNone ? undefined : tone}>
      <dt className="note">{name}</dt>
      <dd className={isNone ? "figure none" : "figure"}>{children}</dd>
    </div>
  );
}

/** The number of rows of a table in each state, the age of the oldest pending row, and how long an edit takes. */
export function CountList({ counts, lag }: Pick<TableStatus, "counts" | "lag">) {
  return (
    <dl className="cards counts">
      {STATES.map(([state, name, tone]) => (
        <Fact key={state} name={name} tone={tone} isNone={counts[state] === 0}>
          {counted(counts[state])}
        </Fact>
      ))}
      <Fact name="Oldest pending" isNone={counts.oldestSeconds === null}>
        {counts.oldestSeconds === null ? "–" : duration(counts.oldestSeconds)}
      </Fact>
      <Fact name="Commit to embedding" isNone={!lag}>
        {lag ? duration(lag.p50) : "–"}{" "}
        <span className="note whole">{lag ? `95% in ${duration(lag.p95)}` : "no change in 24 h"}</span>
      </Fact>
    </dl>
  );
}

import {
  type Due,
  type ModelsInUse,
  type Part,
  type Status,
  sayDue,
  type TableOnPage,
} from "aftercommit/status";
import type { ReactNode } from "react";
import { DeletionTable } from "./deletion-table.tsx";
import { exactly } from "./format.ts";
import { headlineOf } from "./headline.ts";
import { HoldList } from "./hold-list.tsx";
import { TableSection } from "./table-section.tsx";
import { Time } from "./time.tsx";

function Problem({ children }: { children: ReactNode }) {
  return (
    <p className="notice" data-tone="bad" role="alert">
      {children}
    </p>
  );
}

type PartProps<T> = { name: string; part: Part<T>; children: (value: T) => ReactNode };

function Known<T>({ name, part, children }: PartProps<T>) {
  if (part.known) return children(part.value);
  return (
    <Problem>
      {name} cannot be shown: {part.problem}. The server's log has more.
    </Problem>
  );
}

/** The one reason why nothing in the database is known; undefined if something is. */
function commonProblem({ tables, models, deletions }: Status): string | undefined {
  const parts = [...tables.map(({ status }) => status), models, deletions];
  const problems = parts.map((part) => (part.known ? undefined : part.problem));
  return problems.every((problem) => problem === problems[0]) ? problems[0] : undefined;
}

function StatusUnknown({ problem }: { problem: string }) {
  return (
    <>
      <div className="summary">
        <h1 className="headline" data-tone="bad">
          The status is not known
        </h1>
      </div>
      <Problem>Nothing can be shown: {problem}. The server's log has more.</Problem>
    </>
  );
}

function LateDeletions({ due }: { due: Due[] }) {
  return due.map((one) => {
    const text = sayDue(one);
    return text && <Problem key={one.row}>{text}: npx aftercommit deletions list says what is left.</Problem>;
  });
}

function PausedModels({ active, building }: ModelsInUse) {
  return [active, building].map(
    (model) =>
      model?.pausedUntil && (
        <Problem key={model.id}>
          Embedding with {model.name} is paused: {model.pauseReason}. Next attempt{" "}
          <Time at={new Date(model.pausedUntil)} />.
        </Problem>
      ),
  );
}

/** The active model, and what the provider charged for all tables and searches on this UTC day. */
function ModelLine({ name, tables }: { name: string; tables: TableOnPage[] }) {
  const [tokens] = tables.flatMap(({ status }) => (status.known ? [status.value.counts.tokensToday] : []));
  return (
    <p className="model note">
      {name}
      {tokens !== undefined && ` · ${exactly(tokens)} ${tokens === 1 ? "token" : "tokens"} today`}
    </p>
  );
}

function Tables({ tables, runs }: { tables: TableOnPage[]; runs: Status["runs"] }) {
  return (
    <>
      {!runs.known && <Problem>Runs cannot be shown: {runs.problem}.</Problem>}
      {tables.map(({ status, ...table }) => (
        <Known key={table.row} name={`The status of ${table.table}`} part={status}>
          {(known) => <TableSection {...table} status={known} runs={runs.known ? runs.value : new Map()} />}
        </Known>
      ))}
    </>
  );
}

export function StatusReport({ status }: { status: Status }) {
  const { tables, models, runs, deletions } = status;
  const problem = commonProblem(status);
  if (problem) return <StatusUnknown problem={problem} />;
  const { text, tone } = headlineOf(tables);
  return (
    <>
      <div className="summary">
        <div aria-live="polite">
          <h1 className="headline" data-tone={tone}>
            {text}
          </h1>
        </div>
        {models.known && <ModelLine name={models.value.active.name} tables={tables} />}
      </div>
      <Known name="The model" part={models}>
        {(known) => <PausedModels {...known} />}
      </Known>
      <Tables tables={tables} runs={runs} />
      <Known name="The latest deletions" part={deletions}>
        {({ latest, due, holds }) => (
          <>
            <LateDeletions due={due} />
            <DeletionTable deletions={latest} />
            {holds.length > 0 && <HoldList holds={holds} />}
          </>
        )}
      </Known>
    </>
  );
}

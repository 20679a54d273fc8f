import type { Run, TableOnPage, TableStatus } from "aftercommit/status";
import { CountList } from "./count-list.tsx";
import { wordsOf } from "./format.ts";
import { RowTable } from "./row-table.tsx";

type Props = Pick<TableOnPage, "row" | "rows" | "table"> & {
  status: TableStatus;
  runs: ReadonlyMap<string, Run>;
};

export function TableSection({ row, rows, table, status, runs }: Props) {
  const { counts, lag, pending, failed } = status;
  const isEmpty = counts.embedded + counts.pending + counts.failed === 0;
  const id = `table-${row}`;
  return (
    <section aria-labelledby={id}>
      <div className="over">
        <h2 id={id}>{table}</h2>
        {/* Works without JavaScript. */}
        {failed.length > 0 && (
          <form action="/api/retry-failed" method="post">
            <input type="hidden" name="source" value={row} />
            <button type="submit" className="quiet">
              Retry the failed {wordsOf(rows)} now
            </button>
          </form>
        )}
      </div>
      {isEmpty ? (
        <p className="panel muted">No {wordsOf(rows)} yet. Insert one, and its embedding follows.</p>
      ) : (
        <CountList counts={counts} lag={lag} />
      )}
      {pending.length + failed.length > 0 && (
        <div className="panel">
          <RowTable pending={pending} failed={failed} row={row} runs={runs} />
        </div>
      )}
    </section>
  );
}

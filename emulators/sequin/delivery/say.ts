import type { Change } from "../capture/change.ts";
import { primaryKey, readRow } from "../message/row.ts";
import type { Outcome } from "./deliver.ts";
import type { Entry } from "./queue.ts";

/** One line about a delivery, without any of the row's values except its key. */
export function describeOutcome(
  delivered: { entry: Entry; change: Change }[],
  outcome: Outcome,
  tookMs: number,
  nextTryMs: number | null,
): string {
  const [first] = delivered;
  const what =
    delivered.length === 1 && first ? describeChange(first.change) : `${delivered.length} messages`;
  const answered = `${what} → ${outcome.status ?? outcome.answer} in ${tookMs} ms`;
  if (outcome.acknowledged) return answered;
  if (outcome.stuck) {
    const seconds = Math.round((nextTryMs ?? 0) / 1000);
    return `${answered}, STUCK: Sequin's failure handler crashes on ${outcome.stuck}, so that this stays in flight for ${seconds} s and later changes of its rows wait. "Redeliver" in the console sends it now.`;
  }
  if (nextTryMs === null) return `${answered}, discarded after ${first?.entry.deliverCount} tries`;
  return `${answered}, try ${(first?.entry.deliverCount ?? 0) + 1} after ${(nextTryMs / 1000).toFixed(1)} s`;
}

function describeChange(change: Change): string {
  const keys = primaryKey(readRow(change)).join(":");
  return `${change.action} ${change.table_schema}.${change.table_name} ${keys}`.trimEnd();
}

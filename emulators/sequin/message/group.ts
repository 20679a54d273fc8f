import type { Change } from "../capture/change.ts";
import type { Sink } from "../config/load.ts";
import { primaryKey, type Row } from "./row.ts";

/**
 * The group whose messages are delivered one at a time, or null for none: the row's key or the sink's group columns,
 * within one table. A table that is listed without group columns has no groups (lib/sequin/consumers/consumers.ex).
 */
export function groupKey(sink: Sink, change: Change, row: Row): string | null {
  if (!sink.grouping) return null;
  const listed = sink.groupColumns.find(
    ({ table }) => table.schema === change.table_schema && table.name === change.table_name,
  );
  const values = listed
    ? listed.columns.map((name) => row.fields.find(({ column }) => column.name === name)?.text ?? "")
    : primaryKey(row);
  return values.length === 0 ? null : `${change.table_schema}.${change.table_name}:${values.join(":")}`;
}

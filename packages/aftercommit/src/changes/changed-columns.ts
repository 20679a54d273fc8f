import type { RowChange } from "./row-change.ts";

/** The columns that an update changed; undefined if the old row is not known whole. */
export function changedColumns(old: RowChange["record"], record: RowChange["record"]): string[] | undefined {
  const columns = Object.keys(record);
  if (!columns.every((column) => column in old)) return undefined;
  return columns.filter((column) => JSON.stringify(old[column]) !== JSON.stringify(record[column]));
}

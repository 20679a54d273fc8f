import type { Change, Column } from "../capture/change.ts";
import { parseComposite, type Text } from "./literal.ts";

export type Field = { column: Column; text: Text };

/** Sequin sends this string instead of a large value that an update left alone and the WAL does not contain. */
export const UNCHANGED_TOAST = "unchanged_toast";

/** A change's row as Postgres' logical decoding would show it, values still as text. */
export type Row = {
  /** The new row. On a delete, the old row, where only the replica identity's columns have values. */
  fields: Field[];
  /** Under full replica identity, an update's old values that differ. */
  replaced: Field[];
};

export function readRow(change: Change): Row {
  const oldTexts = change.old_row === null ? [] : parseComposite(change.old_row);
  const newTexts = change.new_row === null ? [] : parseComposite(change.new_row);
  const row: Row = { fields: [], replaced: [] };
  for (const [index, column] of change.columns.entries()) {
    // Logical decoding leaves generated columns out; Sequin's table reader selects them.
    if (column.generated && change.action !== "read") continue;
    const before = oldTexts[index] ?? null;
    const after = newTexts[index] ?? null;
    if (change.action === "delete") {
      row.fields.push({ column, text: column.identity ? before : null });
    } else if (change.action === "update" && change.full_identity) {
      row.fields.push({ column, text: after });
      if (before !== after) row.replaced.push({ column, text: before });
    } else {
      const untouched = change.held_out_of_line?.includes(column.name) && before === after;
      row.fields.push({ column, text: untouched ? UNCHANGED_TOAST : after });
    }
  }
  return row;
}

/** The primary key's values as text, by column number; empty for a table without one. */
export function primaryKey(row: Row): string[] {
  return row.fields.filter(({ column }) => column.primaryKey).map(({ text }) => text ?? "");
}

import type { TableName } from "../db/identifiers.ts";
import type { Declaration } from "../declare/declaration.ts";

type Columns = Readonly<Record<string, unknown>>;

/** A change of one row, whichever source it comes from. What a source does not tell is empty, undefined or null. */
export type RowChange = {
  /** Undefined if the source does not name it. */
  table: TableName | undefined;
  /** `read`: a row of a backfill. `row`: the row exists, and may have changed. */
  action: "insert" | "update" | "delete" | "read" | "row";
  /** The row's columns after the change, or before a delete. */
  record: Columns;
  /** The values of the primary key as texts, which are exact if the record's numbers are not. */
  primaryKeys: readonly string[];
  /** Values before the change: of all columns, of some, or of none. */
  old: Columns;
  /** Every column that an update changed. */
  changed: readonly string[] | undefined;
  /** The same for all changes of one commit. */
  commit: string;
  /** The place among the changes of the commit, from 0. */
  index: number;
  /** When the change was committed; null for a backfill's rows. */
  committedAt: string | null;
  /** Tells the change from other changes of its row, and is the same however often it is delivered. */
  position: string | undefined;
  /** The same for every delivery of the change to one consumer. */
  id: string | undefined;
};

/**
 * An element of a delivery, and its place there. `read` throws InvalidMessageError if it is invalid, and returns nothing
 * if it is about no row.
 */
export type Unread = { at: string; read(): RowChange | undefined };

export const isSameTable = (a: TableName, b: TableName): boolean =>
  a.name === b.name && a.schema === b.schema;

/** Whether a change is about a declared table. If it names none, that depends on `named`. */
export function isAbout(
  declaration: Declaration,
  { table }: Pick<RowChange, "table">,
  { named }: { named: "required" | "assumed" },
): boolean {
  return table === undefined ? named === "assumed" : isSameTable(table, declaration.table);
}

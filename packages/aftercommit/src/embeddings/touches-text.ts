import type { RowChange } from "../changes/row-change.ts";
import type { EmbeddingDeclaration } from "../declare/declaration.ts";

/**
 * False if an update certainly left alone the embedded text, and whether the row is embedded. Unknown counts as true.
 */
export function touchesText(
  { action, changed }: RowChange,
  { key, text, where = "", table }: EmbeddingDeclaration,
): boolean {
  if (action !== "update" || changed === undefined) return true;
  const expressions = typeof text === "string" ? `${text} ${where}` : where;
  // An expression may use the whole row, as in `my_function(posts)`.
  if (expressions.includes(table.name) || expressions.includes("*")) return true;
  return changed.some(
    (column) =>
      column === key || expressions.includes(column) || (typeof text !== "string" && text.includes(column)),
  );
}

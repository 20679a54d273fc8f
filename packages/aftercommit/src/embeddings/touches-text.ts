import type { RowChange } from "../changes/row-change.ts";
import type { EmbeddingDeclaration } from "../declare/declaration.ts";

/**
 * False if an update certainly left alone the embedded text, its language, and whether the row is embedded. Unknown
 * counts as true.
 */
export function touchesText(
  { action, changed }: RowChange,
  { key, text, where = "", language, table }: EmbeddingDeclaration,
): boolean {
  if (action !== "update" || changed === undefined) return true;
  const expressions = typeof text === "string" ? `${text} ${where}` : where;
  // An expression may use the whole row, as in `my_function(posts)`.
  if (expressions.includes(table.name) || expressions.includes("*")) return true;
  const columns = [
    key,
    typeof text === "string" ? [] : text,
    typeof language === "object" ? language.column : [],
  ];
  return changed.some((column) => expressions.includes(column) || columns.flat().includes(column));
}

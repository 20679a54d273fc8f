import type { EmbeddingDeclaration } from "../declare/declaration.ts";
import type { SequinMessage } from "../sequin/message.ts";

/**
 * False if an update certainly left alone the embedded text, and whether the row is embedded. Under replica identity
 * full, `changes` has the old value of each column that differs. Unknown counts as true.
 */
export function touchesText(
  { action, changes }: SequinMessage,
  { key, text, where = "", table }: EmbeddingDeclaration,
): boolean {
  const columns = Object.keys(changes ?? {});
  if (action !== "update" || columns.length === 0) return true;
  const expressions = typeof text === "string" ? `${text} ${where}` : where;
  // An expression may use the whole row, as in `my_function(posts)`.
  if (expressions.includes(table.name) || expressions.includes("*")) return true;
  return columns.some(
    (column) =>
      column === key || expressions.includes(column) || (typeof text !== "string" && text.includes(column)),
  );
}

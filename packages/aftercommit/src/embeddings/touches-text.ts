import type { RowChange } from "../changes/row-change.ts";
import type { EmbeddingDeclaration } from "../declare/declaration.ts";

/**
 * False if an update certainly left alone the embedded text, its language, and whether the row is embedded. Unknown
 * counts as true.
 */
export function touchesText(
  { action, record, changed }: RowChange,
  { key, text, where = "", language, table }: EmbeddingDeclaration,
): boolean {
  if (action !== "update" || changed === undefined) return true;
  // Postgres folds the case of names without quotes.
  const expressions = (typeof text === "string" ? `${text} ${where}` : where).toLowerCase();
  const isNamed = (name: string) => expressions.includes(name.toLowerCase());
  // An expression may use the whole row, as in `my_function(posts)`.
  if (isNamed(table.name) || isNamed("*")) return true;
  const columns = [
    key,
    typeof text === "string" ? [] : text,
    typeof language === "object" ? language.column : [],
  ].flat();
  // Generated columns are not published, so no message says that one changed.
  if (!columns.every((column) => Object.hasOwn(record, column))) return true;
  return changed.some((column) => isNamed(column) || columns.includes(column));
}

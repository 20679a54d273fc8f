import type { SequinMessage } from "../sequin/message.ts";

/**
 * False for an update that surely left the embedded text as it was: with replica identity full `changes` has the old
 * value of each column that differs, and a new text has another text_hash. Filling that column, as a migration does,
 * changes no text either. Unknown counts as true.
 */
export function touchesText({ action, record, changes }: SequinMessage): boolean {
  if (action !== "update" || !("text_hash" in record)) return true;
  const columns = Object.keys(changes ?? {});
  if (columns.length === 0) return true;
  return (
    columns.includes("text_hash") && columns.some((name) => name !== "text_hash" && name !== "updated_at")
  );
}

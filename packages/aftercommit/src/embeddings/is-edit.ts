import type { RowChange } from "../changes/row-change.ts";

// Up to this many rows of one commit are edits that someone made together; more come from a script or an import.
const MOST_OF_A_COMMIT = 10;

/**
 * Tells edits from bulk changes by their commit, whatever deliveries it arrives in: a commit of many rows is not an
 * edit, but an edit that shares a delivery with the end of an import is. A `read` belongs to a backfill.
 */
export function isEdit(changes: readonly RowChange[]): (change: RowChange) => boolean {
  const sizes = new Map<string, number>();
  for (const { commit } of changes) sizes.set(commit, (sizes.get(commit) ?? 0) + 1);
  return ({ action, commit, index }) =>
    action !== "read" && index < MOST_OF_A_COMMIT && (sizes.get(commit) ?? 0) <= MOST_OF_A_COMMIT;
}

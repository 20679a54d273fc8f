import type { WrittenRow } from "./write-rows.ts";

/**
 * What became of a row. `deleted`: it is absent, or `where` excludes it. `unsettled`: looked at while its change may not
 * have been visible, so it is looked at again. `waiting`: something is left to do for the batch queue.
 */
export type RowStatus = "embedded" | "unchanged" | "deleted" | "failed" | "unsettled" | "waiting";

/** What the work of a lease came to. */
export type EmbedResult = {
  statuses: Map<string, RowStatus>;
  /** The provider's reason for each failed row. */
  failures: Map<string, string>;
  /** Vectors that were written, of all models in use. */
  chunks: number;
  /** Tokens that the provider charged for. */
  tokens: number;
  model: string;
};

export const noResult = (model: string): EmbedResult => ({
  statuses: new Map(),
  failures: new Map(),
  chunks: 0,
  tokens: 0,
  model,
});

function statusOf({ ending, remove, vectors }: WrittenRow): RowStatus {
  if (!ending.certain) return "unsettled";
  if (ending.kind === "failed") return "failed";
  if (remove) return "deleted";
  if (vectors.length > 0) return "embedded";
  return ending.kind === "later" ? "waiting" : "unchanged";
}

/** Adds a row that has been written. */
export function addRow(result: EmbedResult, row: WrittenRow): void {
  const { ending, vectors } = row;
  result.statuses.set(ending.entry.rowId, statusOf(row));
  if (ending.kind === "failed") result.failures.set(ending.entry.rowId, ending.error);
  for (const { passages } of vectors) result.chunks += passages.length;
}

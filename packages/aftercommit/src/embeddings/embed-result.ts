import type { WrittenRow } from "./write-rows.ts";

/**
 * The result for a row. `deleted`: it does not exist, or `where` excludes it. `unsettled`: it was read before its
 * change was certainly visible, so it is read again. `waiting`: the batch queue has more to do.
 */
export type RowStatus = "embedded" | "unchanged" | "deleted" | "failed" | "unsettled" | "waiting";

export const noResult = (model: string) => ({
  statuses: new Map<string, RowStatus>(),
  /** Why each failed row failed: the provider's message, or Postgres's. */
  failures: new Map<string, string>(),
  chunks: 0,
  tokens: 0,
  model,
});

/** The result of one lease. The chunks are those of all models in use. */
export type EmbedResult = ReturnType<typeof noResult>;

function statusOf({ ending, remove, vectors }: WrittenRow): RowStatus {
  if (!ending.certain) return "unsettled";
  if (ending.kind === "failed") return "failed";
  if (remove) return "deleted";
  if (vectors.length > 0) return "embedded";
  return ending.kind === "later" ? "waiting" : "unchanged";
}

export function addRow(result: EmbedResult, row: WrittenRow): void {
  const { ending, vectors } = row;
  result.statuses.set(ending.entry.rowId, statusOf(row));
  if (ending.kind === "failed" && ending.certain) result.failures.set(ending.entry.rowId, ending.error);
  for (const { passages } of vectors) result.chunks += passages.length;
}

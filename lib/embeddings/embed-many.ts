import type { EmbeddedTable } from "../../drizzle/embedded-table.ts";
import { embedRows, type RowStatus } from "./embed-rows.ts";

/** How many rows came to what, and what it cost. */
export type EmbedManyResult = Record<RowStatus, number> & { chunks: number; tokens: number; model: string };

/**
 * Brings the vectors of many rows up to their present texts, in as few requests as the provider takes: the bulk lane.
 * A refused text is recorded and does not stop the others. Rejects as {@link embedRows}.
 */
export async function embedMany(
  of: EmbeddedTable,
  ids: readonly string[],
  deps: Parameters<typeof embedRows>[3] = {},
): Promise<EmbedManyResult> {
  const { statuses, chunks, tokens, model } = await embedRows(
    of,
    ids,
    { urgent: false, changedAt: null },
    deps,
  );
  const count = { embedded: 0, unchanged: 0, superseded: 0, gone: 0, refused: 0 };
  for (const status of statuses.values()) count[status] += 1;
  return { ...count, chunks, tokens, model };
}

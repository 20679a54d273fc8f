import type { EmbeddedTable } from "../../drizzle/embedded-table.ts";
import { embedRows, type RowStatus } from "./embed-rows.ts";
import { RefusedTextError } from "./refused-text-error.ts";

export type EmbedRowResult = {
  status: Exclude<RowStatus, "refused">;
  /** Vectors that this run wrote; 0 for a row without text. */
  chunks: number;
  /** Tokens that the provider charged this run for. */
  tokens: number;
  model: string;
};

/**
 * Brings the vectors of one row up to its present text, at once: the live lane. `changedAt` is when the change was
 * committed, if that is known.
 * Rejects with RefusedTextError when the provider makes no vectors of the text, else as {@link embedRows}.
 */
export async function embedRow(
  of: EmbeddedTable,
  id: string,
  changedAt: string | null,
  deps: Parameters<typeof embedRows>[3] = {},
): Promise<EmbedRowResult> {
  const options = { urgent: true, changedAt: changedAt === null ? null : new Date(changedAt) };
  const { statuses, refusals, chunks, tokens, model } = await embedRows(of, [id], options, deps);
  const status = statuses.get(id) ?? "gone";
  if (status === "refused") throw new RefusedTextError(refusals.get(id) ?? "the provider refused the text");
  return { status, chunks, tokens, model };
}
